import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { uniformNumbers } from '../../numbers/random.ts';
import type { Architecture } from '../families/architecture.ts';
import { readArchitecture } from '../families/read-architecture.ts';
import { fileWeights, openWeights } from '../families/weights.ts';
import type { Placement } from '../runtime/placement.ts';
import { openSession, type Session } from '../runtime/session.ts';
import type { HostTensor } from '../runtime/tensor.ts';
import { serveWorker } from '../runtime/worker.ts';
import { cacheName, generationModel } from './generation-graph.ts';
import { chooseToken, type Sampling } from './sampling.ts';

/** A text in generation: the key-value cache of its tokens so far. */
interface Sequence {
  readonly sampling: Sampling;
  readonly uniform: () => number;
  /** Tokens in the cache. */
  length: number;
  /** past_keys.N and past_values.N. */
  cache: Record<string, HostTensor>;
}

let session: Session;
let architecture: Architecture;
const sequences = new Map<number, Sequence>();

const methods = {
  async load(directory: string, threads: number, placement?: Placement): Promise<void> {
    architecture = await readArchitecture(directory);
    const source = await openWeights(directory, architecture);
    const weights = fileWeights(architecture, source);
    const model = generationModel(architecture, weights);
    await source.close();
    session = await openSession(model, { threads, weightsDirectory: weights.directory, ...placement });
  },

  /** Starts a sequence with a prompt of at least one token and chooses the token after it. */
  async begin(sequence: number, prompt: Int32Array, sampling: Sampling): Promise<number> {
    const { layers, keyValueHeads, headSize } = architecture.keyValueSizes;
    const cache: Record<string, HostTensor> = {};
    for (let layer = 0; layer < layers; layer++) {
      const nothing = { data: new Float32Array(0), shape: [1, keyValueHeads, 0, headSize] };
      cache[cacheName.pastKeys(layer)] = nothing;
      cache[cacheName.pastValues(layer)] = nothing;
    }
    const begun = { sampling, uniform: uniformNumbers(sampling.seed), length: 0, cache };
    sequences.set(sequence, begun);
    return read(begun, prompt);
  },

  /** Feeds the token chosen last and chooses the next. */
  async next(sequence: number, token: number): Promise<number> {
    const begun = sequences.get(sequence);
    if (!begun) throw new FuseMeshError('internal', `no sequence ${sequence}`);
    return read(begun, Int32Array.of(token));
  },

  end(sequence: number): void {
    sequences.delete(sequence);
  },
};

async function read(sequence: Sequence, ids: Int32Array): Promise<number> {
  const { keyValueHeads, headSize, layers } = architecture.keyValueSizes;
  const keys = sequence.length + ids.length;
  const keyPositions = BigInt64Array.from({ length: keys }, (_, i) => BigInt(i));
  const results = await session.run({
    input_ids: { data: Int32Array.from(ids), shape: [1, ids.length] },
    position_ids: { data: keyPositions.slice(sequence.length), shape: [1, ids.length] },
    key_positions: { data: keyPositions, shape: [1, keys] },
    last_row: { data: BigInt64Array.of(BigInt(ids.length - 1)), shape: [1] },
    ...sequence.cache,
  });
  const shape = [1, keyValueHeads, keys, headSize];
  for (let layer = 0; layer < layers; layer++) {
    const [allKeys, allValues] = [results[cacheName.keys(layer)], results[cacheName.values(layer)]];
    sequence.cache[cacheName.pastKeys(layer)] = { data: allKeys as Float32Array<ArrayBuffer>, shape };
    sequence.cache[cacheName.pastValues(layer)] = { data: allValues as Float32Array<ArrayBuffer>, shape };
  }
  sequence.length = keys;
  return chooseToken(results['logits'] as Float32Array, sequence.sampling, sequence.uniform);
}

export type GenerationMethods = typeof methods;
serveWorker(methods);
