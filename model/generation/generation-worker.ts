import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { uniformNumbers } from '../../numbers/random.ts';
import { openInferenceWeights } from '../families/inference-weights.ts';
import { readArchitecture } from '../families/read-architecture.ts';
import { dialectOf } from '../runtime/dialect.ts';
import { openMemory } from '../runtime/memory.ts';
import type { Placement } from '../runtime/placement.ts';
import { type BytesCrossed, openSession, type Session } from '../runtime/session.ts';
import type { Tensor } from '../runtime/tensor.ts';
import { serveWorker } from '../runtime/worker.ts';
import { CacheRooms, type Room } from './cache-rooms.ts';
import { type GenerationModel, generationModel, pastName } from './generation-graph.ts';
import { chooseToken, type Sampling } from './sampling.ts';

/** A text in generation. */
interface Sequence {
  readonly sampling: Sampling;
  readonly uniform: () => number;
  /** Tokens in the cache. */
  length: number;
  /** Of the cache. */
  room: Room;
}

interface Loaded {
  readonly model: Pick<GenerationModel, 'keys' | 'values'>;
  readonly session: Session;
  readonly rooms: CacheRooms;
  readonly logits: { readonly data: Float32Array<ArrayBuffer>; readonly shape: readonly number[] };
}

let loaded: Loaded | undefined;
const sequences = new Map<number, Sequence>();
const crossed: BytesCrossed = { toDevice: 0, fromDevice: 0 };

const methods = {
  /** @returns operators that the processor computes although the model is on a device, by their names in ONNX */
  async load(directory: string, threads: number, placement?: Placement): Promise<ReadonlySet<string>> {
    const architecture = await readArchitecture(directory);
    const onDevice = (placement?.provider ?? 'cpu') !== 'cpu';
    const weights = await openInferenceWeights(directory, architecture, { onDevice });
    const options = { threads, weightsDirectory: weights.directory, ...placement, crossed };
    const model = generationModel(architecture, weights, dialectOf(options));
    const session = await weights
      .prepare()
      .then(() => openSession(model.bytes, options))
      .finally(() => weights.close());
    const memory = await openMemory(options);
    const { vocabularySize } = architecture;
    const logits = { data: new Float32Array(vocabularySize), shape: [1, vocabularySize] };
    loaded = { model, session, rooms: new CacheRooms(memory, architecture), logits };
    return session.onProcessor;
  },

  /** Starts a sequence with a prompt of at least one token and chooses the token after it. */
  async begin(sequence: number, prompt: Int32Array, sampling: Sampling): Promise<number> {
    const room = loaded!.rooms.take(0);
    const begun = { sampling, uniform: uniformNumbers(sampling.seed), length: 0, room };
    sequences.set(sequence, begun);
    return read(loaded!, begun, prompt);
  },

  /** Feeds the token chosen last and chooses the next. */
  async next(sequence: number, token: number): Promise<number> {
    const begun = sequences.get(sequence);
    if (!begun) throw new FuseMeshError('internal', `no sequence ${sequence}`);
    return read(loaded!, begun, Int32Array.of(token));
  },

  end(sequence: number): void {
    const ended = sequences.get(sequence);
    if (!ended) return;
    sequences.delete(sequence);
    loaded!.rooms.give(ended.room);
    if (sequences.size === 0) loaded!.rooms.freeSpare();
  },

  /** All that has gone to a device and come from there; the weights left out. */
  crossed: (): BytesCrossed => crossed,
};

async function read(
  { model, session, rooms, logits }: Loaded,
  sequence: Sequence,
  ids: Int32Array,
): Promise<number> {
  const past = sequence.length;
  const all = past + ids.length;
  const keyPositions = BigInt64Array.from({ length: all }, (_, i) => BigInt(i));
  const before = sequence.room;
  const after = rooms.take(all);
  const feeds: Record<string, Tensor> = {
    input_ids: { data: Int32Array.from(ids), shape: [1, ids.length] },
    position_ids: { data: keyPositions.slice(past), shape: [1, ids.length] },
    key_positions: { data: keyPositions, shape: [1, all] },
    last_row: { data: BigInt64Array.of(BigInt(ids.length - 1)), shape: [1] },
  };
  const into: Record<string, Tensor> = { logits };
  for (const [layer, name] of model.keys.entries()) {
    feeds[pastName.keys(layer)] = rooms.of(before.keys[layer], past);
    feeds[pastName.values(layer)] = rooms.of(before.values[layer], past);
    into[name] = rooms.of(after.keys[layer], all);
    into[model.values[layer]] = rooms.of(after.values[layer], all);
  }
  try {
    await session.run(feeds, into);
  } catch (error) {
    rooms.give(after);
    throw error;
  }
  sequence.room = after;
  sequence.length = all;
  rooms.give(before);
  return chooseToken(logits.data, sequence.sampling, sequence.uniform);
}

export type GenerationMethods = typeof methods;
serveWorker(methods);
