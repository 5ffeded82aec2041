import { ErrorCode, NatsError } from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** Error codes of the JetStream API (nats-server/server/errors.json). */
const streamNotFound = 10059;
const consumerNotFound = 10014;
const noMessageFound = 10037;
const sequenceNotFound = 10043;
const wrongLastSequence = 10071;
const storeFailed = 10077;

/** Why the server refused a request; `other` is everything that does not concern the state of a stream. */
export type Refusal =
  | 'stream missing'
  | 'consumer missing'
  | 'message missing'
  | 'wrong last sequence'
  | 'stream full'
  | 'other';

/** Why JetStream refused a request. */
export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof NatsError)) return 'other';
  // The server sends this to readers of a consumer that is deleted.
  if (error.code === '409' && error.message === 'consumer deleted') return 'consumer missing';
  switch (error.api_error?.err_code) {
    case streamNotFound:
      return 'stream missing';
    case consumerNotFound:
      return 'consumer missing';
    case noMessageFound:
    case sequenceNotFound:
      return 'message missing';
    case wrongLastSequence:
      return 'wrong last sequence';
    case storeFailed:
      return /maximum (messages|bytes)/.test(error.api_error.description) ? 'stream full' : 'other';
    default:
      return 'other';
  }
}

/** Whether the request was not answered, so that it may or may not have been carried out. */
export function isUnanswered(error: unknown): boolean {
  return (
    error instanceof NatsError &&
    [ErrorCode.Timeout, ErrorCode.NoResponders, ErrorCode.Disconnect, '503'].includes(error.code)
  );
}

/** The only kind of error that leaves this folder: what was being done, where, and what NATS said. */
export function natsFailure(error: unknown, doing: string, url: string): FuseMeshError {
  if (error instanceof FuseMeshError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  switch (refusalOf(error)) {
    case 'stream missing':
    case 'consumer missing':
      return new FuseMeshError('not_found', `Cannot ${doing}: the run is not on ${url} (${reason}).`, {
        cause: error,
      });
    default:
      if (error instanceof NatsError && error.code === ErrorCode.PermissionsViolation) {
        const message = `Cannot ${doing}: ${url} does not permit it (${reason}): its user needs the subjects of the run.`;
        return new FuseMeshError('permission_denied', message, { cause: error });
      }
      return new FuseMeshError(
        'unavailable',
        `Cannot ${doing}: the NATS server at ${url} did not do it (${reason}).`,
        {
          cause: error,
        },
      );
  }
}
