import { ErrorCode, NatsError } from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** Error codes of the JetStream API (nats-server/server/errors.json). */
const streamNotFound = 10059;
const consumerNotFound = 10014;
const noMessageFound = 10037;
const sequenceNotFound = 10043;
const wrongLastSequence = 10071;
const storeFailed = 10077;
/** What a server of a cluster answers while a leader is elected, or a server is away. */
const passing: readonly number[] = [
  10007, // not assigned to this server
  10008, // JetStream temporarily unavailable
  10009, // no leader
  10118, // stream offline
  10119, // consumer offline
  10158, // the message id is in process: sent before a leader was lost, and again
  10163, // last sequence of the subject not known yet
  10164, // wrong last sequence, as one that is in process is not counted
  10194, // stream offline, with a reason
  10195, // consumer offline, with a reason
];
/** No cluster, or one with fewer servers than replicas. */
const tooFewServers: readonly number[] = [10005, 10010, 10074];
/** What a limit of the server or of the account does not allow, and what to do about it. */
const limits: Readonly<Record<number, string>> = {
  10002: "the account's max_file and max_mem",
  10026: "the account's max_consumers",
  10027: "the account's max_streams",
  10028: 'max_memory_store in the jetstream block of the server',
  10047: "max_file_store in the jetstream block of the server, and the account's max_file",
  10122: "the account's max_stream_bytes, which is to be 128 MiB or more",
};

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

/**
 * Whether the request was not answered, so that it may or may not have been carried out; or a cluster that is changing
 * could not carry it out now.
 */
export function isUnanswered(error: unknown): boolean {
  if (!(error instanceof NatsError)) return false;
  if (passing.includes(error.api_error?.err_code ?? 0)) return true;
  return [ErrorCode.Timeout, ErrorCode.NoResponders, ErrorCode.Disconnect, '503'].includes(error.code);
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
        const message = `Cannot ${doing}: ${url} does not permit it (${reason}): its user needs what deploy/nats-accounts.conf lists.`;
        return new FuseMeshError('permission_denied', message, { cause: error });
      }
      return new FuseMeshError(
        'unavailable',
        `Cannot ${doing}: the NATS server at ${url} did not do it (${reason})${remedy(error)}.`,
        { cause: error },
      );
  }
}

/** What to do about a limit that was reached; empty where it is none. */
function remedy(error: unknown): string {
  const code = (error instanceof NatsError && error.api_error?.err_code) || 0;
  if (tooFewServers.includes(code)) {
    return ': nats.replicas needs a cluster of as many servers that are all there: lower it, or start them';
  }
  const limit = limits[code];
  if (limit === undefined) return '';
  return `: raise ${limit}, or remove runs that are over (\`fusemesh runs\`); each run reserves 128 MiB for its dead letters`;
}
