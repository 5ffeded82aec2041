import { type ErrorCode, FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { PromptTooLong } from '../answers/prompt-of.ts';
import { RequestRefusal } from './request-refusal.ts';

/** An error as OpenAI's API answers it. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly error: {
      readonly message: string;
      readonly type: string;
      readonly param: string | null;
      readonly code: string | null;
    };
  };
}

const statuses: Readonly<Record<ErrorCode, number>> = {
  invalid_argument: 400,
  failed_precondition: 400,
  already_exists: 409,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  resource_exhausted: 429,
  cancelled: 499,
  internal: 500,
  data_loss: 500,
  unimplemented: 501,
  unavailable: 503,
};

/** Words for programs, where OpenAI's have one. */
const reasons: Readonly<Partial<Record<ErrorCode, string>>> = {
  unauthenticated: 'invalid_api_key',
  resource_exhausted: 'rate_limit_exceeded',
  unavailable: 'service_unavailable',
};

const tooLong = 'context_length_exceeded';

/** Seconds after which it is worth to call again. */
const retryAfter = { 'Retry-After': '1' };

/** What a caller gets for an error; one that is no FuseMeshError is not told in its words. */
export function errorAnswer(error: unknown): ErrorAnswer {
  if (!(error instanceof FuseMeshError)) {
    const message = 'The target service failed on this request; its log says why.';
    return {
      status: 500,
      headers: {},
      body: { error: { message, type: 'server_error', param: null, code: null } },
    };
  }
  const {
    param,
    reason,
    status = statuses[error.code],
  } = error instanceof RequestRefusal ? error : { param: undefined, reason: undefined };
  return {
    status,
    headers: error.code === 'resource_exhausted' || error.code === 'unavailable' ? retryAfter : {},
    body: {
      error: {
        message: error.message,
        type: typeOf(status),
        param: param ?? null,
        code: reason ?? (error instanceof PromptTooLong ? tooLong : reasons[error.code]) ?? null,
      },
    },
  };
}

function typeOf(status: number): string {
  if (status === 429) return 'rate_limit_error';
  if (status === 401) return 'authentication_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}
