import { jsonReply } from '../reply.ts';
import type { Fault } from './fault.ts';

/** The answer's status and bytes are not what they should be. */
export const faultsOfTheBytes = {
  /** JSON that ends in the middle, as a whole answer. */
  truncated: { reply: (reply) => ({ ...reply, body: reply.body.subarray(0, reply.body.length >> 1) }) },
  /** A page of something in between, with status 200. */
  page: {
    reply: () => ({ status: 200, type: 'text/html', body: Buffer.from('<html><body>Sign in</body></html>') }),
  },
  empty: { reply: (reply) => ({ ...reply, body: Buffer.alloc(0) }) },
  /** vLLM's refusal to write NaN as JSON. */
  nan400: {
    reply: () =>
      jsonReply(
        400,
        '{"error":{"message":"Out of range float values are not JSON compliant: nan","type":"BadRequestError","param":null,"code":400}}',
      ),
  },
  /** Any other refusal of one prompt. */
  refused400: {
    reply: () =>
      jsonReply(
        400,
        '{"error":{"message":"This prompt is not welcome","type":"BadRequestError","param":null,"code":400}}',
      ),
  },
  unauthorized: { everywhere: true, reply: () => jsonReply(401, '{"error":"Unauthorized"}') },
  notFound: { reply: () => jsonReply(404, '{"detail":"Not Found"}') },
  tooManyRequests: { reply: () => jsonReply(429, '{"error":{"message":"Too many requests","code":429}}') },
  /** An engine that has died. */
  engineDead: {
    reply: () =>
      jsonReply(
        500,
        '{"error":{"message":"EngineCore encountered an issue.","type":"InternalServerError","code":500}}',
      ),
  },
  unavailable: {
    reply: () => ({ status: 503, type: 'text/plain', body: Buffer.from('no healthy upstream') }),
  },
} as const satisfies Readonly<Record<string, Fault>>;
