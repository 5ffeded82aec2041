import type { EventEmitter } from 'node:events';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** A call that a server works on. */
export interface CallInHand {
  /** Aborts when the caller goes away or cancels, when the deadline passes, and when the server has to leave. */
  readonly signal: AbortSignal;
  /** The call has its answer. */
  over(): void;
}

/**
 * @param call of grpc-js, which tells of callers that left and of deadlines as `cancelled`
 * @param cut aborts when the server waits no longer for its calls
 * @param onCut is given what to answer then
 */
export function callInHand(
  call: EventEmitter & { readonly cancelled: boolean },
  cut: AbortSignal,
  onCut: (error: FuseMeshError) => void,
): CallInHand {
  const abort = new AbortController();
  call.on('cancelled', () => abort.abort());
  const leave = () => {
    onCut(new FuseMeshError('unavailable', 'The server left before the call was done: call again.'));
    abort.abort();
  };
  if (call.cancelled) abort.abort();
  if (cut.aborted) leave();
  else cut.addEventListener('abort', leave, { once: true });
  return { signal: abort.signal, over: () => cut.removeEventListener('abort', leave) };
}
