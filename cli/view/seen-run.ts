import type { GetStatusResponse } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';

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
