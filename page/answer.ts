import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorCode } from '../errors/fusemesh-error.ts';

/** An answer to an HTTP request. */
export interface Answer {
  readonly status?: number;
  readonly type: string;
  readonly body: string;
  /** The same until the process ends, so a browser may keep it and ask whether it has changed. Others are never kept. */
  readonly lasting?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Everything comes from this server. Inline styles are refused: scripts set them through the DOM. */
const contentSecurityPolicy =
  "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Sends an answer, without its body for HEAD and where the browser has kept it. */
export function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const { status = 200, type, body, lasting = false, headers = {} } = answer;
  const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  const unchanged = lasting && (request.headers['if-none-match'] ?? '').split(/, ?/).includes(tag);
  response.writeHead(unchanged ? 304 : status, {
    'Content-Security-Policy': contentSecurityPolicy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': lasting ? 'no-cache' : 'no-store',
    ...(lasting && { ETag: tag }),
    ...(!unchanged && { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }),
    ...headers,
  });
  response.end(unchanged || request.method === 'HEAD' ? undefined : body);
}

export const json = (value: unknown): Answer => ({
  type: 'application/json; charset=utf-8',
  body: JSON.stringify(value),
});

/** An error as JSON, with its gRPC code. */
export const failure = (status: number, code: ErrorCode, message: string): Answer => ({
  ...json({ code, message }),
  status,
});
