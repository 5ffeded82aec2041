import type { GetHistoryResponse, GetStatusResponse } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import type { TrainerFollower } from '../reach/follow-trainer.ts';
import type { SeenRun } from './seen-run.ts';

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
      ...{ run: this.#run, now, status: this.#status, curve: this.#curve, silent: this.#silent },
      ...(this.#startedAt !== undefined && { seconds: (now - this.#startedAt) / 1000 }),
      ...(this.#fed && { fed: this.#fed }),
    };
  }
}
