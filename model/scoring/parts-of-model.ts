import type { Memory } from '../runtime/memory.ts';
import type { Session } from '../runtime/session.ts';
import { beginningOf, type Tensor } from '../runtime/tensor.ts';
import type { PaddedScores } from './padded-scores.ts';
import { padTexts } from './padded-texts.ts';
import type { ScoringModels } from './scoring-graph.ts';

/**
 * Rows that the head takes at once: as many as its product needs for its full speed, as few as keep the logits
 * small (50 MB for 49,152 tokens).
 */
const rowsAtOnce = 256;

/** The two parts of {@link ScoringModels}, ready to run. What goes from one to the other stays where it is computed. */
export class PartsOfModel {
  readonly #sessions: { readonly body: Session; readonly head: Session };
  readonly #memory: Memory;
  readonly #states: string;
  readonly #width: number;
  /** For the body's output: as large as the largest so far. */
  #room: Tensor;

  constructor(
    sessions: { readonly body: Session; readonly head: Session },
    memory: Memory,
    { states, width }: Pick<ScoringModels, 'states' | 'width'>,
  ) {
    this.#sessions = sessions;
    this.#memory = memory;
    this.#states = states;
    this.#width = width;
    this.#room = memory.allocate([0, width]);
  }

  /** Runs both parts on the token ids of texts. Rows of padding are zeros. */
  async score(texts: readonly Int32Array[], topK: number): Promise<PaddedScores> {
    const { body, head } = this.#sessions;
    const { length, inputIds, positions, labels } = padTexts(texts);
    const size = inputIds.length;
    const shape = [texts.length, length];
    const states = this.#statesOf(size);
    await body.run(
      { input_ids: { data: inputIds, shape }, position_ids: { data: positions, shape } },
      { [this.#states]: states },
    );

    const scores = {
      length,
      candidateIds: new Int32Array(size * topK),
      logProbabilities: new Float32Array(size * topK),
      labelLogProbabilities: new Float32Array(size),
    };
    const tokens = rowsOfTokens(texts, length);
    for (let begin = 0; begin < tokens.length; begin += rowsAtOnce) {
      const rows = tokens.slice(begin, begin + rowsAtOnce);
      const found = await head.run({
        states,
        rows: { data: rows, shape: [rows.length] },
        labels: { data: rows.map((row) => labels[row]), shape: [rows.length, 1] },
        k: { data: BigInt64Array.of(BigInt(topK)), shape: [1] },
      });
      const candidateIds = found['candidate_ids'] as Int32Array;
      const logProbabilities = found['log_probabilities'] as Float32Array;
      rows.forEach((row, i) => {
        scores.candidateIds.set(candidateIds.subarray(i * topK, (i + 1) * topK), row * topK);
        scores.logProbabilities.set(logProbabilities.subarray(i * topK, (i + 1) * topK), row * topK);
        scores.labelLogProbabilities[row] = found['label_log_probabilities'][i] as number;
      });
    }
    return scores;
  }

  /** How many values the body gives for one token: `width`, unless the model says of itself what is not so. */
  async valuesOfOneToken(): Promise<number> {
    const shape = [1, 1];
    const results = await this.#sessions.body.run({
      input_ids: { data: Int32Array.of(0), shape },
      position_ids: { data: BigInt64Array.of(0n), shape },
    });
    return results[this.#states].length;
  }

  /** What the processor computes although there is a device. */
  get onProcessor(): ReadonlySet<string> {
    return new Set(Object.values(this.#sessions).flatMap(({ onProcessor }) => [...onProcessor]));
  }

  async close(): Promise<void> {
    await this.#memory.close();
    for (const session of Object.values(this.#sessions)) await session.close();
  }

  /** Room for a row of each token. */
  #statesOf(tokens: number): Tensor {
    if (tokens > this.#room.shape[0]) {
      this.#memory.free(this.#room);
      this.#room = this.#memory.allocate([tokens, this.#width]);
    }
    return beginningOf(this.#room, [tokens, this.#width]);
  }
}

/** Rows that hold a token and no padding. */
function rowsOfTokens(texts: readonly Int32Array[], length: number): Int32Array<ArrayBuffer> {
  const rows = new Int32Array(texts.reduce((sum, ids) => sum + ids.length, 0));
  let next = 0;
  for (const [text, ids] of texts.entries()) {
    for (let t = 0; t < ids.length; t++) rows[next++] = text * length + t;
  }
  return rows;
}
