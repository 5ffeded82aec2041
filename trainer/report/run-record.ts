import { mkdir, stat } from 'node:fs/promises';
import type { FusedBatch } from '../../fusion/batch/batches.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import type { Notifier } from '../../process/lifecycle/notifier.ts';
import type { Log } from '../../process/log/log.ts';
import { RateMeter } from '../../process/metrics/rate-meter.ts';
import type { GetAlignmentResponse } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import type { ResumePoint } from '../checkpoint/resume-point.ts';
import { noRollouts } from '../checkpoint/rollout-totals.ts';
import type { TrainingState } from '../checkpoint/training-state.ts';
import { alignmentMessage } from './alignment-message.ts';
import { HistoryFile } from './history/history-file.ts';
import { historyPoint } from './history/history-point.ts';
import { type HeldOutLoss, RunHistory } from './history/run-history.ts';
import type { TrainerMetrics } from './metrics.ts';
import { type WrittenSoFar, withStep } from './rollouts/written-so-far.ts';
import type { StepReport } from './step-report.ts';
import { StepWatchers } from './step-watchers.ts';
import { TimeSpent } from './time-spent.ts';

/** How a run, or this process's part of it, is over. */
export type Outcome = 'finished' | 'failed' | 'stopped';

/** What a record reports to, and whom it asks how fast the sources are. */
interface RecordParts {
  readonly metrics: TrainerMetrics;
  readonly notifier: Notifier;
  readonly log: Log;
  /** Tokens that each source scores per second, as it says itself. */
  readonly sourceRates: () => Readonly<Record<string, number>>;
  /** Whether the target writes documents itself; left out, it does not. */
  readonly onPolicy?: boolean;
}

/** What a training has done so far. The training writes it, the status reads it, and it passes everything on to metrics, curves and log. */
export class RunRecord {
  readonly time = new TimeSpent();
  readonly history = new RunHistory();
  readonly watchers: StepWatchers;
  readonly #parts: RecordParts;
  readonly #tokenRate = new RateMeter();
  #file: HistoryFile | undefined;
  #planned = { steps: 0, documents: 0 };
  #isTraining = false;
  #outcome: Outcome | undefined;
  #lastStep: StepReport | undefined;
  #heldOut: HeldOutLoss | undefined;
  #checkpoint: { readonly directory: string; readonly step: number; readonly at: Date } | undefined;
  #alignment: () => GetAlignmentResponse | undefined = () => undefined;
  #documentsChosen: Record<string, number> = {};
  #documentsWithout: Record<string, number> = {};
  #written: WrittenSoFar | undefined;
  #stepsDone = 0;

  constructor(parts: RecordParts) {
    this.#parts = parts;
    if (parts.onPolicy) this.#written = { totals: noRollouts, last: undefined, shown: [] };
    this.watchers = new StepWatchers(parts.notifier);
  }

  /** Steps that the run has in all, and documents of its corpus; 0 until they are known. */
  get planned(): { readonly steps: number; readonly documents: number } {
    return this.#planned;
  }

  /** Whether steps are taken; true during a pause too. */
  get isTraining(): boolean {
    return this.#isTraining;
  }

  /** Undefined before the end. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  get lastStep(): StepReport | undefined {
    return this.#lastStep;
  }

  get heldOut(): HeldOutLoss | undefined {
    return this.#heldOut;
  }

  get checkpoint(): { readonly directory: string; readonly step: number; readonly at: Date } | undefined {
    return this.#checkpoint;
  }

  /** The latest document trained on; undefined before the first. */
  get alignment(): GetAlignmentResponse | undefined {
    return this.#alignment();
  }

  /** By source: in how many documents it taught, over restarts. */
  get documentsChosen(): Readonly<Record<string, number>> {
    return this.#documentsChosen;
  }

  /** By source: how many documents were trained on without it, over restarts. */
  get documentsWithout(): Readonly<Record<string, number>> {
    return this.#documentsWithout;
  }

  /** What the target wrote itself; undefined where it writes nothing. */
  get written(): WrittenSoFar | undefined {
    return this.#written;
  }

  /** Tokens trained on per second of wall time, over the last few seconds. */
  get tokensPerSecond(): number {
    return this.#tokenRate.perSecond();
  }

  /** By the mean time of this process's steps, waits included; undefined before the first. */
  get secondsLeft(): number | undefined {
    if (this.#lastStep === undefined) return undefined;
    const spent = Object.values(this.time.total).reduce((sum, seconds) => sum + seconds, 0);
    return (spent / this.#stepsDone) * (this.#planned.steps - this.#lastStep.step);
  }

  plan(planned: { readonly steps: number; readonly documents: number }): void {
    this.#planned = planned;
  }

  /**
   * Resumes what is on disk.
   *
   * @param output directory of the run
   */
  async resume(output: string, { state, resumedFrom }: ResumePoint): Promise<void> {
    const { metrics, log } = this.#parts;
    await mkdir(output, { recursive: true });
    this.#file = await HistoryFile.resume(output, { step: state.step, history: this.history, log });
    this.#documentsChosen = { ...state.documentsChosen };
    this.#documentsWithout = { ...state.documentsWithout };
    if (this.#written) this.#written = { ...this.#written, totals: state.rollouts };
    this.#heldOut = this.history.heldOut.at(-1);
    if (this.#heldOut) metrics.observeHeldOut(this.#heldOut.bitsPerByte);
    if (resumedFrom) {
      const at = (await stat(resumedFrom.directory)).mtime;
      this.#checkpoint = { directory: resumedFrom.directory, step: state.step, at };
      metrics.checkpointAt(at);
    }
  }

  /** The first step may be taken. */
  begin(): void {
    this.#isTraining = true;
  }

  /** @param tokenizer the target's */
  step(report: StepReport, { batch, last }: Pick<FusedBatch, 'batch' | 'last'>, tokenizer: Tokenizer): void {
    const { metrics, log, sourceRates } = this.#parts;
    const without = report.skipped ? {} : report.without;
    for (const name of report.chosen) this.#documentsChosen[name] = (this.#documentsChosen[name] ?? 0) + 1;
    for (const [name, documents] of Object.entries(without)) {
      this.#documentsWithout[name] = (this.#documentsWithout[name] ?? 0) + documents.length;
    }
    if (this.#written) this.#written = withStep(this.#written, report);
    metrics.observe(report);
    this.#lastStep = report;
    this.#stepsDone++;
    if (!report.skipped) this.#tokenRate.add(report.stepTokens);
    this.watchers.step(report);
    // Its loss is NaN or infinite: a curve cannot show it.
    if (report.skipped) return;
    if (last) this.#alignment = () => alignmentMessage(batch, last, report.step, tokenizer);
    const { step, loss, tokensPerSecond, time } = report;
    log.debug({ step, loss, tokensPerSecond, time }, `Step ${step} is done: loss ${loss.toFixed(4)}`);
    const point = historyPoint(report, sourceRates());
    this.history.add(point);
    this.#file?.append(point);
  }

  evaluated(loss: HeldOutLoss): void {
    this.#heldOut = loss;
    this.history.addHeldOut(loss);
    this.#parts.metrics.observeHeldOut(loss.bitsPerByte);
    this.#file?.append({ heldOut: loss });
  }

  /** @param seconds that writing it took */
  checkpointed({ step }: TrainingState, directory: string, seconds: number): void {
    const at = new Date();
    this.#checkpoint = { directory, step, at };
    this.#parts.metrics.checkpointAt(at);
    this.#parts.metrics.checkpointWritten(seconds);
  }

  /** There will be no further step: a watcher's stream ends when it has seen the last. */
  end(outcome: Outcome): void {
    this.#outcome = outcome;
    this.watchers.end();
  }

  /** Writes what is left of the history. */
  async close(): Promise<void> {
    await this.#file?.close();
  }
}
