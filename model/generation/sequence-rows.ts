import type { Sequence } from './sequence.ts';

/** Copies what the cache has of the sequence of one row to another. */
export type Move = (sequence: Sequence, from: number, to: number) => void;

/**
 * Which row of the cache each sequence has. Those whose prompt has been read stand first, without gaps, so that one
 * run reads a token of each; behind them stand those whose prompts are still to be read, the first come first.
 */
export class SequenceRows {
  readonly #rows: Sequence[] = [];
  #ready = 0;

  /** All, by row. */
  get all(): readonly Sequence[] {
    return this.#rows;
  }

  /** Those whose prompt has been read. */
  get ready(): readonly Sequence[] {
    return this.#rows.slice(0, this.#ready);
  }

  /** The one whose prompt is read next. */
  get reading(): Sequence | undefined {
    return this.#rows[this.#ready];
  }

  add(sequence: Sequence): void {
    this.#rows.push(sequence);
  }

  /** The prompt of {@link reading} has been read. */
  advance(): void {
    this.#ready++;
  }

  /** The last that is ready takes its row; those behind move up. Of these, one at most has been read in part. */
  remove(sequence: Sequence, move: Move): void {
    let hole = this.#rows.indexOf(sequence);
    const take = (from: number) => {
      move(this.#rows[from], from, hole);
      this.#rows[hole] = this.#rows[from];
      hole = from;
    };
    if (hole < this.#ready) {
      this.#ready--;
      if (hole !== this.#ready) take(this.#ready);
    }
    while (hole + 1 < this.#rows.length) take(hole + 1);
    this.#rows.pop();
  }
}
