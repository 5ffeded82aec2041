import { TrainerState } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { type StateName, stateName } from '../../wire/messages/trainer-states.ts';
import type { RunState } from '../../wire/nats/run-streams.ts';
import type { Intake, SourceArrivals } from '../intake/intake.ts';
import type { RunRecord } from './run-record.ts';
import type { TrainingControl } from './training-control.ts';

/** One source as the status shows it. */
export interface SourceView extends SourceArrivals {
  /** In how many documents it taught, over restarts. */
  readonly documentsChosen: number;
  /** Documents that were trained on without it, over restarts. */
  readonly documentsWithout: number;
}

/** Where a run stands: derived from what has come in, what the training has done, and what was asked of it. */
export class RunStatus {
  readonly run: string;
  readonly started = new Date();
  readonly control: TrainingControl;
  readonly record: RunRecord;
  readonly #intake: Intake;

  constructor(
    run: string,
    { control, record, intake }: { control: TrainingControl; record: RunRecord; intake: Intake },
  ) {
    this.run = run;
    this.control = control;
    this.record = record;
    this.#intake = intake;
  }

  get state(): TrainerState {
    const { outcome, isTraining } = this.record;
    if (outcome === 'failed') return TrainerState.FAILED;
    if (outcome === 'finished') return TrainerState.FINISHED;
    if (!isTraining) return TrainerState.STARTING;
    return this.control.paused ? TrainerState.PAUSED : TrainerState.TRAINING;
  }

  get stateName(): StateName {
    return stateName(this.state) ?? 'starting';
  }

  /** Undefined before the first step, and once there will be no further one. */
  get secondsLeft(): number | undefined {
    const { isTraining, outcome, secondsLeft } = this.record;
    return isTraining && (outcome === undefined || outcome === 'stopped') ? secondsLeft : undefined;
  }

  /** What the run's streams held at the last look; undefined before the first. */
  get streams(): RunState | undefined {
    return this.#intake.streams.seen;
  }

  /** Documents that some sources, but not all, have delivered. */
  get documentsWaiting(): number {
    return this.#intake.documentsWaiting;
  }

  get sources(): readonly SourceView[] {
    const { documentsChosen, documentsWithout } = this.record;
    return this.#intake.arrivals().map((arrivals) => ({
      ...arrivals,
      documentsChosen: documentsChosen[arrivals.name] ?? 0,
      documentsWithout: documentsWithout[arrivals.name] ?? 0,
    }));
  }
}
