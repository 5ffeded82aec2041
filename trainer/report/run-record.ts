import { mkdir, stat } from 'node:fs/promises';
import type { FusedBatch } from '../../fusion/batch/batches.ts';
import type { ResumePoint } from '../checkpoint/resume-point.ts';
import type { TrainingState } from '../checkpoint/training-state.ts';
import type { OpenedTraining } from '../training-context.ts';
import { alignmentMessage } from './alignment-message.ts';
import { HistoryFile } from './history/history-file.ts';
import { historyPoint } from './history/history-point.ts';
import type { HeldOutLoss } from './history/run-history.ts';
import type { StepReport } from './step-report.ts';

/** Where it is told. */
export type RecordPlaces = Pick<OpenedTraining, 'status' | 'metrics' | 'tokenizer' | 'log'>;

/** Takes down what a training does: for the metrics, for the status, and on disk for the curves. */
export class RunRecord {
  readonly #places: RecordPlaces;
  readonly #file: HistoryFile;
  readonly #documentsChosen: Record<string, number>;
  readonly #documentsWithout: Record<string, number>;

  private constructor(
    places: RecordPlaces,
    file: HistoryFile,
    { documentsChosen, documentsWithout }: TrainingState,
  ) {
    this.#places = places;
    this.#file = file;
    this.#documentsChosen = { ...documentsChosen };
    this.#documentsWithout = { ...documentsWithout };
  }

  /** @param output directory of the run */
  static async open(output: string, places: RecordPlaces, resume: ResumePoint): Promise<RunRecord> {
    const { status, metrics, log } = places;
    const { state, resumedFrom } = resume;
    await mkdir(output, { recursive: true });
    const file = await HistoryFile.resume(output, { step: state.step, history: status.history, log });
    status.heldOut = status.history.heldOut.at(-1);
    if (status.heldOut) metrics.observeHeldOut(status.heldOut.bitsPerByte);
    if (resumedFrom) {
      const at = (await stat(resumedFrom.directory)).mtime;
      status.checkpoint = { directory: resumedFrom.directory, step: state.step, at };
      metrics.checkpointAt(at);
    }
    return new RunRecord(places, file, state);
  }

  /** By source: in how many documents it taught, over restarts. */
  get documentsChosen(): Readonly<Record<string, number>> {
    return this.#documentsChosen;
  }

  /** By source: how many documents were trained on without it, over restarts. */
  get documentsWithout(): Readonly<Record<string, number>> {
    return this.#documentsWithout;
  }

  step(report: StepReport, { batch, last }: FusedBatch): void {
    const { status, metrics, tokenizer, log } = this.#places;
    for (const name of report.chosen) this.#documentsChosen[name] = (this.#documentsChosen[name] ?? 0) + 1;
    const without = report.skipped ? {} : report.without;
    for (const [name, documents] of Object.entries(without)) {
      this.#documentsWithout[name] = (this.#documentsWithout[name] ?? 0) + documents.length;
    }
    metrics.observe(report);
    status.step(report);
    // Its loss is no number: it has no place on a curve.
    if (report.skipped) return;
    if (last) status.alignment = () => alignmentMessage(batch, last, report.step, tokenizer);
    const { step, loss, tokensPerSecond, time } = report;
    log.debug({ step, loss, tokensPerSecond, time }, `Step ${step} is done: loss ${loss.toFixed(4)}`);
    const rates = status.sources().map(({ name, tokensPerSecond }) => [name, tokensPerSecond]);
    const point = historyPoint(report, Object.fromEntries(rates));
    status.history.add(point);
    this.#file.append(point);
  }

  heldOut(loss: HeldOutLoss): void {
    const { status, metrics } = this.#places;
    status.heldOut = loss;
    status.history.addHeldOut(loss);
    metrics.observeHeldOut(loss.bitsPerByte);
    this.#file.append({ heldOut: loss });
  }

  /** @param seconds that writing it took */
  checkpoint({ step }: TrainingState, directory: string, seconds: number): void {
    const at = new Date();
    this.#places.status.checkpoint = { directory, step, at };
    this.#places.metrics.checkpointAt(at);
    this.#places.metrics.checkpointWritten(seconds);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
