import { type ErrorCode, FuseMeshError } from '../../../errors/fusemesh-error.ts';

/** A request that the OpenAI-compatible front refuses; `param` and `reason` stand in the answer, as OpenAI's have them. */
export class RequestRefusal extends FuseMeshError {
  /** The parameter that is wrong: "messages[0].content". */
  readonly param: string | undefined;
  /** A word for programs: "unsupported_parameter". */
  readonly reason: string | undefined;
  /** HTTP status, where it is not that of the code. */
  readonly status: number | undefined;

  constructor(
    message: string,
    {
      code = 'invalid_argument',
      param,
      reason,
      status,
    }: { code?: ErrorCode; param?: string; reason?: string; status?: number } = {},
  ) {
    super(code, message);
    this.param = param;
    this.reason = reason;
    this.status = status;
  }
}
