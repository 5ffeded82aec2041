import type { GetHistoryResponse, GetStatusResponse } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import type { TrainerFollower } from '../reach/follow-trainer.ts';

/** What a terminal knows of a run at one moment. */
export interface SeenRun {
  readonly run: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Since the command began, where it is the run's; else the time is that of the trainer. */
  readonly seconds?: number;
  /** What the trainer said last; undefined before it has. */
  readonly status: GetStatusResponse | undefined;
  /** Losses of the run so far, in nats a token; empty where they are not known. */
  readonly curve: readonly number[];
  /** Why the trainer does not answer now. */
  readonly silent: string | undefined;
  /** What the feeder says, where it was started here. */
  readonly fed?: { readonly published: number; readonly total: number } | undefined;
}

/** Gathers what a terminal hears of a run. */
export class RunBoard implements TrainerFollower {
  readonly #run: string;
  readonly #now: () => number;
  readonly #startedAt: number | undefined;
  #status: GetStatusResponse | undefined;
  #curve: readonly number[] = [];
  #silent: string | undefined;
  #fed: SeenRun['fed'];

  /**
   * @param isOurs the run began with this command, whose time counts
   * @param now milliseconds since 1970
   */
  constructor(run: string, { isOurs, now = Date.now }: { isOurs: boolean; now?: () => number }) {
    this.#run = run;
    this.#now = now;
    this.#startedAt = isOurs ? now() : undefined;
  }

  status(status: GetStatusResponse): void {
    this.#status = status;
    this.#silent = undefined;
  }

  history({ loss }: GetHistoryResponse): void {
    this.#curve = loss;
  }

  silent(why: string): void {
    this.#silent = why;
  }

  /** What the feeder has published. */
  fed(fed: { readonly published: number; readonly total: number }): void {
    this.#fed = fed;
  }

  seen(): SeenRun {
    const now = this.#now();
    return {
      run: this.#run,
      now,
      status: this.#status,
      curve: this.#curve,
      silent: this.#silent,
      ...(this.#startedAt !== undefined && { seconds: (now - this.#startedAt) / 1000 }),
      ...(this.#fed && { fed: this.#fed }),
    };
  }
}
