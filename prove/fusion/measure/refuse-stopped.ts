import { FuseMeshError } from '../../../errors/fusemesh-error.ts';

/** @throws FuseMeshError cancelled when aborted */
export function refuseStopped(signal: AbortSignal): void {
  if (signal.aborted) {
    throw new FuseMeshError('cancelled', 'Stopped: what is computed is kept, call the command again.');
  }
}
