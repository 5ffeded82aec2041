import { type ErrorCode, FuseMeshError } from '../../errors/fusemesh-error.ts';
import { uniformNumbers } from '../../numbers/random.ts';
import type { Architecture } from '../families/architecture.ts';
import { openInferenceWeights } from '../families/inference-weights.ts';
import { readArchitecture } from '../families/read-architecture.ts';
import { dialectOf } from '../runtime/dialect.ts';
import { type Memory, openMemory } from '../runtime/memory.ts';
import { openSession, type Session, type SessionOptions } from '../runtime/session.ts';
import { CacheRooms } from './cache-rooms.ts';
import { sharesCache } from './cache-sizes.ts';
import { generationModel } from './generation-graph.ts';
import { type LogProbabilities, logProbabilitiesOf } from './log-probabilities.ts';
import { OwnCaches } from './own-caches.ts';
import { chooseToken } from './sampling.ts';
import type { NewSequence, Sequence } from './sequence.ts';
import type { SequenceCache } from './sequence-cache.ts';
import { SequenceRows } from './sequence-rows.ts';
import { SharedCache } from './shared-cache.ts';

/** What a step gives for a sequence: its next token, or why there is none. */
export type StepOutcome =
  | { readonly sequence: number; readonly token: number; readonly logProbabilities?: LogProbabilities }
  | { readonly sequence: number; readonly code: ErrorCode; readonly message: string };

/**
 * Tokens of prompts that are read together, and about as many between one token of the others and the next: more would
 * make those wait, fewer cost more than they spare.
 */
const tokensOfPrompts = 256;

/** The weights of one version of a model, and the sequences that they continue. */
export class BatchedModel {
  readonly session: Session;
  readonly cache: SequenceCache;
  readonly #rows = new SequenceRows();
  readonly #memory: Memory;
  readonly #vocabularySize: number;
  #logits = new Float32Array(0);

  private constructor(
    session: Session,
    cache: SequenceCache,
    memory: Memory,
    { vocabularySize }: Architecture,
  ) {
    this.session = session;
    this.cache = cache;
    this.#memory = memory;
    this.#vocabularySize = vocabularySize;
  }

  /** Other models compute meanwhile. */
  static async open(directory: string, options: Omit<SessionOptions, 'apart'>): Promise<BatchedModel> {
    const architecture = await readArchitecture(directory);
    const onDevice = (options.provider ?? 'cpu') !== 'cpu';
    const weights = await openInferenceWeights(directory, architecture, { onDevice });
    const shared = sharesCache(architecture, options.provider);
    const model = generationModel(architecture, weights, { dialect: dialectOf(options), shared });
    const session = await weights
      .prepare()
      .then(() => openSession(model.bytes, { ...options, weightsDirectory: weights.directory, apart: true }))
      .finally(() => weights.close());
    const memory = await openMemory(options);
    const cache = shared
      ? new SharedCache(model, architecture)
      : new OwnCaches(model, new CacheRooms(memory, architecture));
    return new BatchedModel(session, cache, memory, architecture);
  }

  /** By row. */
  get sequences(): readonly Sequence[] {
    return this.#rows.all;
  }

  /** There is room for it when the cache has been fitted. */
  begin({ sampling, ...given }: NewSequence): void {
    const uniform = uniformNumbers(sampling.seed);
    const choose = (logits: Float32Array) => chooseToken(logits, sampling, uniform);
    this.#rows.add({ ...given, choose, length: 0, next: -1 });
  }

  /** @returns whether it has the sequence */
  end(id: number): boolean {
    const sequence = this.#rows.all.find((one) => one.id === id);
    if (!sequence) return false;
    this.#rows.remove(sequence, (...move) => this.cache.move(...move));
    this.cache.remove(sequence);
    return true;
  }

  /** The next token of each sequence whose prompt has been read, then as many prompts as go into one step. */
  async step(): Promise<StepOutcome[]> {
    const outcomes: StepOutcome[] = [];
    const { ready } = this.#rows;
    const { rowsAtOnce } = this.cache;
    for (let first = 0; first < ready.length; first += rowsAtOnce) {
      const sequences = ready.slice(first, first + rowsAtOnce);
      const failure = await this.#read(
        sequences,
        first,
        Int32Array.from(sequences, ({ next }) => next),
      );
      for (const [row, sequence] of sequences.entries())
        outcomes.push(failure?.(sequence) ?? this.#choose(sequence, row));
    }
    let read = 0;
    for (
      let sequence = this.#rows.reading;
      sequence && read < tokensOfPrompts;
      sequence = this.#rows.reading
    ) {
      const { prompt, length } = sequence;
      const tokens = prompt.slice(length, length + tokensOfPrompts);
      const failure = await this.#read([sequence], this.#rows.ready.length, tokens);
      if (failure) return [...outcomes, failure(sequence)];
      read += tokens.length;
      if (sequence.length < prompt.length) continue;
      this.#rows.advance();
      outcomes.push(this.#choose(sequence, 0));
    }
    return outcomes;
  }

  /**
   * Reads tokens of the sequences of rows that follow each other.
   *
   * @param ids [rows · length]
   * @returns how each of them fails, where the run does
   */
  async #read(
    sequences: readonly Sequence[],
    first: number,
    ids: Int32Array<ArrayBuffer>,
  ): Promise<((sequence: Sequence) => StepOutcome) | undefined> {
    const rows = sequences.length;
    const length = ids.length / rows;
    const vocabularySize = this.#vocabularySize;
    if (this.#logits.length < rows * vocabularySize) this.#logits = new Float32Array(rows * vocabularySize);
    const logits = { data: this.#logits.subarray(0, rows * vocabularySize), shape: [rows, vocabularySize] };
    const positions = BigInt64Array.from(ids, (_, i) =>
      BigInt(sequences[Math.floor(i / length)].length + (i % length)),
    );
    const tokens = {
      input_ids: { data: ids, shape: [rows, length] },
      position_ids: { data: positions, shape: [rows, length] },
      last_row: {
        data: BigInt64Array.from(sequences, (_, row) => BigInt((row + 1) * length - 1)),
        shape: [rows],
      },
    };
    try {
      await this.cache.extend(sequences, first, length, async (feeds, into) => {
        await this.session.run({ ...feeds, ...tokens }, { ...into, logits });
      });
      return undefined;
    } catch (error) {
      return (sequence) => failed(sequence, error);
    }
  }

  /** @param row of the sequence among the logits */
  #choose(sequence: Sequence, row: number): StepOutcome {
    const logits = this.#logits.subarray(row * this.#vocabularySize, (row + 1) * this.#vocabularySize);
    try {
      const token = sequence.choose(logits);
      sequence.next = token;
      const { id, logProbabilities: count } = sequence;
      if (count === undefined) return { sequence: id, token };
      return { sequence: id, token, logProbabilities: logProbabilitiesOf(logits, token, count) };
    } catch (error) {
      return failed(sequence, error);
    }
  }

  async close(): Promise<void> {
    for (const { id } of [...this.sequences]) this.end(id);
    this.cache.fit([], 0);
    await this.#memory.close();
    await this.session.close();
  }
}

const failed = ({ id }: Sequence, error: unknown): StepOutcome => ({
  sequence: id,
  code: error instanceof FuseMeshError ? error.code : 'internal',
  message: error instanceof Error ? error.message : String(error),
});
