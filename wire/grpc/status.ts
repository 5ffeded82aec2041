import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type ErrorCode, FuseMeshError } from '../../errors/fusemesh-error.ts';
import { tlsTrouble } from './tls-trouble.ts';

const statusOf: Readonly<Record<ErrorCode, status>> = {
  invalid_argument: status.INVALID_ARGUMENT,
  not_found: status.NOT_FOUND,
  already_exists: status.ALREADY_EXISTS,
  failed_precondition: status.FAILED_PRECONDITION,
  resource_exhausted: status.RESOURCE_EXHAUSTED,
  unavailable: status.UNAVAILABLE,
  data_loss: status.DATA_LOSS,
  unimplemented: status.UNIMPLEMENTED,
  unauthenticated: status.UNAUTHENTICATED,
  permission_denied: status.PERMISSION_DENIED,
  cancelled: status.CANCELLED,
  internal: status.INTERNAL,
};

const codeOf = new Map(Object.entries(statusOf).map(([code, number]) => [number, code as ErrorCode]));

/** Trailer that marks an error of our service, not of the connection to it: its message is shown unchanged. */
const ownErrorKey = 'fusemesh-error';

/** The status that a server answers for an error: FuseMeshErrors keep code and message, others are internal. */
export function toStatus(error: unknown): { code: status; details: string; metadata?: Metadata } {
  if (error instanceof FuseMeshError) {
    const metadata = new Metadata();
    metadata.set(ownErrorKey, error.code);
    return { code: statusOf[error.code], details: error.message, metadata };
  }
  return { code: status.INTERNAL, details: error instanceof Error ? error.message : String(error) };
}

/** The error that a client throws for a status. */
export function fromStatus(error: ServiceError, address: string): FuseMeshError {
  if (error.code === status.DEADLINE_EXCEEDED) {
    return new FuseMeshError('unavailable', `${address} did not answer in time`, { cause: error });
  }
  const trouble = tlsTrouble(error, address);
  if (trouble) return trouble;
  const code = codeOf.get(error.code) ?? 'internal';
  const isOwn = (error.metadata?.get(ownErrorKey).length ?? 0) > 0;
  const message = isOwn ? error.details : describe(code, error.details, address);
  return new FuseMeshError(code, message, { cause: error });
}

/** Puts what grpc-js reports of a call that no service has answered into our words. */
function describe(code: ErrorCode, details: string, address: string): string {
  if (code === 'unavailable')
    return `No answer from ${address}: is the service running? (${details.replaceAll(/\s+/g, ' ').trim()})`;
  if (code === 'resource_exhausted' && /larger than/.test(details)) {
    return `A message to or from ${address} is too large: give a shorter text or a smaller top_k (${details})`;
  }
  return details;
}
