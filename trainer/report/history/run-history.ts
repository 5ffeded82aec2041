import { type HistoryPoint, merged } from './history-point.ts';

/** An evaluation on the held-out texts: bits per byte by domain. */
export interface HeldOutLoss {
  readonly step: number;
  readonly bitsPerByte: Readonly<Record<string, number>>;
}

/** What is kept of a run. */
export interface HistoryData {
  readonly points: readonly HistoryPoint[];
  readonly heldOut: readonly HeldOutLoss[];
}

/** With more, each two neighbouring points become one. It is enough for a curve on any screen. */
const mostPoints = 2_000;

/**
 * The curves of a run in bounded memory. A point stands for one step at first; whenever there are too many points,
 * each stands for twice as many steps.
 */
export class RunHistory implements HistoryData {
  #points: HistoryPoint[] = [];
  readonly #heldOut: HeldOutLoss[] = [];
  #stepsOfPoint = 1;

  get points(): readonly HistoryPoint[] {
    return this.#points;
  }

  get heldOut(): readonly HeldOutLoss[] {
    return this.#heldOut;
  }

  /** Steps come in order. */
  add(point: HistoryPoint): void {
    const last = this.#points.at(-1);
    if (last === undefined || last.steps >= this.#stepsOfPoint) this.#points.push(point);
    else this.#points[this.#points.length - 1] = merged(last, point);
    if (this.#points.length > mostPoints) this.#thinOut();
  }

  addHeldOut(loss: HeldOutLoss): void {
    this.#heldOut.push(loss);
  }

  /** What came after a step. */
  since(step: number): HistoryData {
    const isNew = (entry: { readonly step: number }) => entry.step > step;
    return { points: this.#points.filter(isNew), heldOut: this.#heldOut.filter(isNew) };
  }

  #thinOut(): void {
    const points = this.#points;
    this.#stepsOfPoint *= 2;
    this.#points = [];
    for (let i = 0; i < points.length; i += 2) {
      this.#points.push(i + 1 < points.length ? merged(points[i], points[i + 1]) : points[i]);
    }
  }
}
