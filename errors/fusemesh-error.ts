/**
 * What kind of failure it is. The names are those of gRPC's status codes, so that one code serves
 * a remote caller (as status) and a person at a terminal (as exit code).
 */
export type ErrorCode =
  | 'invalid_argument'
  | 'not_found'
  | 'already_exists'
  | 'failed_precondition'
  | 'resource_exhausted'
  | 'unavailable'
  | 'data_loss'
  | 'unimplemented'
  | 'unauthenticated'
  | 'permission_denied'
  | 'cancelled'
  | 'internal';

/**
 * The one error class of the project. The message names the thing, says what is wrong with it and what
 * to do about it, in one line: it is shown to people as it is, without a stack trace.
 */
export class FuseMeshError extends Error {
  override readonly name = 'FuseMeshError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** Exit code of a command that fails so: 2 where the user's input is wrong, 1 otherwise. */
  get exitCode(): 1 | 2 {
    return this.code === 'invalid_argument' || this.code === 'not_found' ? 2 : 1;
  }
}
