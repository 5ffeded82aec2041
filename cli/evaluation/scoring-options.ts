import { FuseMeshError } from '../../errors/fusemesh-error.ts';

export interface ScoringOptions {
  readonly signal: AbortSignal;
  /** Called with how many texts or questions have been scored since the last call. */
  readonly onScored?: ((count: number) => void) | undefined;
}

/** @throws FuseMeshError cancelled when aborted */
export function refuseStopped(signal: AbortSignal): void {
  if (signal.aborted) throw new FuseMeshError('cancelled', 'Stopped while evaluating.');
}
