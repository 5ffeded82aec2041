import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { TrainerState } from '../mesh/generated/fusemesh/v1/trainer_pb.ts';
import type { Change } from './change.ts';
import type { StepReport } from './step-report.ts';

/** One source as the status tells of it. */
export interface SourceView {
  readonly name: string;
  readonly attached: boolean;
  readonly queueDepth: number;
  readonly documentsChosen: number;
}

/** Steps that a watcher may be behind before it is let go. */
const watcherLag = 10_000;

/** Where a run stands, for whoever asks: the service reads it, the training writes it. */
export class RunStatus {
  readonly run: string;
  readonly change: Change;
  phase = TrainerState.STARTING;
  /** 0 until it is known. */
  totalSteps = 0;
  lastStep: StepReport | undefined;
  /** Empty before the first checkpoint. */
  checkpointDirectory = '';
  /** Asked for at every look. */
  sources: () => readonly SourceView[] = () => [];
  /** Documents whose parts have partly come; asked for at every look. */
  documentsWaiting: () => number = () => 0;
  #ended = false;
  readonly #watchers = new Set<StepReport[]>();

  constructor(run: string, change: Change) {
    this.run = run;
    this.change = change;
  }

  /** A step is done. */
  step(report: StepReport): void {
    this.lastStep = report;
    for (const steps of this.#watchers) steps.push(report);
    this.change.announce();
  }

  /** There will be no further step: watchers are let go when they have seen the last. */
  end(phase: TrainerState): void {
    this.phase = phase;
    this.#ended = true;
    this.change.announce();
  }

  /** The last step, if any, then every further one, until the run ends. */
  async *watchSteps(signal: AbortSignal): AsyncGenerator<StepReport> {
    const steps: StepReport[] = this.lastStep === undefined ? [] : [this.lastStep];
    this.#watchers.add(steps);
    const wake = () => this.change.announce();
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        const [step] = steps.splice(0, 1);
        if (step !== undefined) yield step;
        else if (this.#ended) return;
        else await this.change.next();
        if (steps.length > watcherLag) {
          throw new FuseMeshError('resource_exhausted', `More than ${watcherLag} steps behind: watch again.`);
        }
      }
    } finally {
      this.#watchers.delete(steps);
      signal.removeEventListener('abort', wake);
    }
  }
}
