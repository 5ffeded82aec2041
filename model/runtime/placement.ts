import type { ExecutionProvider } from './session.ts';

/** What computes a model. */
export interface Placement {
  readonly provider: ExecutionProvider;
  /** Which of several GPUs, for cuda; left out, the first. */
  readonly device?: number | undefined;
}
