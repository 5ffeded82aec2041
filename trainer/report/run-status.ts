import type { Notifier } from '../../process/lifecycle/notifier.ts';
import { RateMeter } from '../../process/metrics/rate-meter.ts';
import type { GetAlignmentResponse } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { TrainerState } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { type StateName, stateName } from '../../wire/messages/trainer-states.ts';
import type { RunState } from '../../wire/nats/run-streams.ts';
import { type HeldOutLoss, RunHistory } from './history/run-history.ts';
import type { StepReport } from './step-report.ts';
import { StepWatchers } from './step-watchers.ts';
import { TimeSpent } from './time-spent.ts';
import type { TrainingControl } from './training-control.ts';

/** One source as the status tells of it. */
export interface SourceView {
  readonly name: string;
  readonly attached: boolean;
  /** Processes of it that work for the run. */
  readonly replicas: number;
  readonly queueDepth: number;
  readonly documentsChosen: number;
  /** Tokens that it scores per second, as it says itself. */
  readonly tokensPerSecond: number;
  /** Since it attached, as it says itself. */
  readonly documentsScored: number;
  readonly waitingForRoom: boolean;
  /** Documents that another source has delivered and this one has not. */
  readonly documentsMissing: number;
  /** Documents published that none of its replicas has scored yet, at the last look. */
  readonly lagDocuments: number;
  /** Of its distributions, since the process began. */
  readonly bytesReceived: number;
  /** Messages of it that could not be used, since the process began. */
  readonly deadLetters: number;
  /** Documents that were trained on without it. */
  readonly documentsWithout: number;
  /** Whether the training goes on without it at the moment. */
  readonly leftOut: boolean;
}

/** Where a run stands, for whoever asks: the services read it, the training writes it. */
export class RunStatus {
  readonly run: string;
  readonly control: TrainingControl;
  readonly started = new Date();
  readonly time = new TimeSpent();
  readonly history = new RunHistory();
  readonly watchers: StepWatchers;
  phase = TrainerState.STARTING;
  /** 0 until it is known. */
  totalSteps = 0;
  /** Of the corpus; 0 until it is known. */
  totalDocuments = 0;
  lastStep: StepReport | undefined;
  heldOut: HeldOutLoss | undefined;
  checkpoint: { readonly directory: string; readonly step: number; readonly at: Date } | undefined;
  /** What the run's streams held at the last look; undefined before the first. */
  streams: RunState | undefined;
  /** Asked for at every look. */
  sources: () => readonly SourceView[] = () => [];
  /** Documents whose parts have partly come; asked for at every look. */
  documentsWaiting: () => number = () => 0;
  /** The latest document trained on; undefined before the first. */
  alignment: () => GetAlignmentResponse | undefined = () => undefined;
  readonly #tokenRate = new RateMeter();
  #stepsDone = 0;

  constructor(run: string, notifier: Notifier, control: TrainingControl) {
    this.run = run;
    this.control = control;
    this.watchers = new StepWatchers(notifier);
  }

  /** The phase, or paused. */
  get state(): TrainerState {
    const holds = this.control.paused && this.phase === TrainerState.TRAINING;
    return holds ? TrainerState.PAUSED : this.phase;
  }

  get stateName(): StateName {
    return stateName(this.state) ?? 'starting';
  }

  /** Tokens trained on per second of wall time, over the last few seconds. */
  get tokensPerSecond(): number {
    return this.#tokenRate.perSecond();
  }

  /** If steps go on to take what this process's took on the mean, waits included; undefined before the first. */
  get secondsLeft(): number | undefined {
    if (this.phase !== TrainerState.TRAINING || this.lastStep === undefined) return undefined;
    const spent = Object.values(this.time.total).reduce((sum, seconds) => sum + seconds, 0);
    return (spent / this.#stepsDone) * (this.totalSteps - this.lastStep.step);
  }

  /** A step is done. */
  step(report: StepReport): void {
    this.lastStep = report;
    this.#stepsDone++;
    if (!report.skipped) this.#tokenRate.add(report.stepTokens);
    this.watchers.step(report);
  }

  /** There will be no further step: watchers are let go when they have seen the last. */
  end(phase: TrainerState): void {
    this.phase = phase;
    this.watchers.end();
  }
}
