import { Pool } from 'undici';
import { FuseMeshError } from '../../../../errors/fusemesh-error.ts';
import type { Secret } from '../../../../process/security/secret.ts';

/** Why a request was not answered as it should, by what it is good for to know: the label of a metric. */
export const passingReasons = [
  'unreachable',
  'timeout',
  'busy',
  'server_error',
  'nan',
  'wrong_answer',
] as const;
export type PassingReason = (typeof passingReasons)[number];

/** What came of a request: an answer, something that passes, a refusal of what was asked, or a setting that is wrong. */
export type Exchange =
  | { readonly kind: 'answer'; readonly body: Buffer }
  | { readonly kind: 'passing'; readonly reason: PassingReason; readonly message: string }
  | { readonly kind: 'refused'; readonly status: number; readonly message: string }
  | { readonly kind: 'fatal'; readonly failure: FuseMeshError };

/** How long a server may take, in milliseconds. */
export interface TimeLimits {
  readonly connect: number;
  /** Until an answer begins: a busy server lets requests wait. */
  readonly answer: number;
  /** From there to its end. */
  readonly body: number;
}

export const timeLimits: TimeLimits = { connect: 10_000, answer: 600_000, body: 120_000 };

/** Who is asked, and what proves who asks. */
export interface ServerAddress {
  readonly url: string;
  readonly apiKey?: Secret | undefined;
  /** PEM certificates of the CA. Left out, those that Node.js trusts. */
  readonly ca?: Buffer | undefined;
}

const mostOfMessage = 300;

/** The HTTP connections to one server. Redirects are not followed: a key must not go where nobody sent it. */
export class ServerConnection {
  readonly url: string;
  readonly #pool: Pool;
  readonly #path: string;
  readonly #headers: Record<string, string>;
  readonly #limits: TimeLimits;
  #changes = 0;

  /** @param connections as many requests may be under way */
  constructor({ url, apiKey, ca }: ServerAddress, connections: number, limits: TimeLimits = timeLimits) {
    const { origin, pathname } = new URL(url);
    this.url = url;
    this.#path = pathname.replace(/\/(v1\/?)?$/, '');
    this.#limits = limits;
    this.#headers = apiKey ? { authorization: `Bearer ${apiKey.reveal()}` } : {};
    this.#pool = new Pool(origin, {
      connections,
      headersTimeout: limits.answer,
      bodyTimeout: limits.body,
      connect: { timeout: limits.connect, ...(ca && { ca }) },
    });
    const count = () => {
      this.#changes++;
    };
    this.#pool.on('connect', count).on('disconnect', count);
  }

  /**
   * How often a connection was opened or closed so far. One that was opened may end at another server than those before
   * it, and a request that waits in the pool is sent over it without a word. It is counted before its first answer.
   */
  get changes(): number {
    return this.#changes;
  }

  /**
   * Sends a request: POST with a JSON body, GET without. It ends at once when the signal aborts.
   *
   * @param mostBytes of the answer
   * @throws FuseMeshError cancelled when aborted
   */
  async ask(
    path: string,
    body: string | undefined,
    { signal, mostBytes }: { readonly signal: AbortSignal; readonly mostBytes: number },
  ): Promise<Exchange> {
    const late = new AbortController();
    let timer = setTimeout(() => late.abort(), this.#limits.answer);
    try {
      const {
        statusCode,
        headers,
        body: stream,
      } = await this.#pool.request({
        path: `${this.#path}${path}`,
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...this.#headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
        body: body ?? null,
        signal: AbortSignal.any([signal, late.signal]),
      });
      clearTimeout(timer);
      timer = setTimeout(() => late.abort(), this.#limits.body);
      const received: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of stream) {
        bytes += chunk.length;
        if (bytes > mostBytes) {
          stream.destroy();
          return this.#passing(
            'wrong_answer',
            `sends more than the ${mostBytes} bytes that an answer can have`,
          );
        }
        received.push(chunk);
      }
      const announced = Number(headers['content-length'] ?? bytes);
      if (bytes !== announced) return this.#passing('unreachable', 'cut off its answer');
      const whole = received.length === 1 ? received[0] : Buffer.concat(received, bytes);
      return this.#judge(statusCode, path, headers['location'], whole);
    } catch (error) {
      if (signal.aborted) throw new FuseMeshError('cancelled', 'The request was given up.');
      if (late.signal.aborted) return this.#passing('timeout', 'does not answer in time');
      return this.#judgeFailure(error as Error & { readonly code?: string });
    } finally {
      clearTimeout(timer);
    }
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }

  #judge(status: number, path: string, location: unknown, body: Buffer): Exchange {
    if (status === 200) return { kind: 'answer', body };
    const said = messageOf(body);
    if (status === 401 || status === 403) {
      return this.#fatal('permission_denied', `refuses the API key (${status}): check served.apiKeyFile`);
    }
    if (status === 404 || status === 405) {
      return this.#fatal('not_found', `has no ${path} for this model (${status}): ${said}`);
    }
    if (status >= 300 && status < 400) {
      return this.#fatal(
        'failed_precondition',
        `redirects to ${JSON.stringify(location ?? '?')} (${status}), which is not followed: name the right url`,
      );
    }
    if (status === 429 || status === 503)
      return this.#passing('busy', `has too much to do (${status}): ${said}`);
    if (status >= 500 || status === 408) return this.#passing('server_error', `fails (${status}): ${said}`);
    return { kind: 'refused', status, message: said };
  }

  #judgeFailure({ code, message, cause }: Error & { readonly code?: string }): Exchange {
    if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
      return this.#passing('timeout', 'does not answer in time');
    }
    if (code !== undefined && /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO_(GET|VERIFY)/.test(code)) {
      const what = `has a certificate that is not trusted (${code}): name its CA in served.tls.ca`;
      return this.#fatal('failed_precondition', what);
    }
    const why = code ?? (cause as NodeJS.ErrnoException | undefined)?.code ?? message;
    return this.#passing('unreachable', `cannot be reached (${why})`);
  }

  #passing(reason: PassingReason, what: string): Exchange {
    return { kind: 'passing', reason, message: `The server at ${this.url} ${what}` };
  }

  #fatal(code: 'permission_denied' | 'not_found' | 'failed_precondition', what: string): Exchange {
    return { kind: 'fatal', failure: new FuseMeshError(code, `The server at ${this.url} ${what}.`) };
  }
}

/** What a server says of an error, in one short line: both kinds wrap it in JSON. */
function messageOf(body: Buffer): string {
  const text = body.subarray(0, 65_536).toString('utf8');
  let message: unknown = text;
  try {
    const json = JSON.parse(text);
    message = json.error?.message ?? json.message ?? json.detail ?? json.error ?? text;
  } catch {
    // As it stands.
  }
  const line = (typeof message === 'string' ? message : JSON.stringify(message))
    .replaceAll(/\s+/g, ' ')
    .trim();
  return line.length > mostOfMessage ? `${line.slice(0, mostOfMessage)} …` : line;
}
