import { FuseMeshError } from '../../../../errors/fusemesh-error.ts';
import type { Turn } from '../../../../model/runtime/turns.ts';
import { scoredText } from '../../../../model/scoring/scored-text.ts';
import type { Tokenization } from '../../../../model/tokenizer/tokenization.ts';
import type { TextOutcome } from '../../teacher-model.ts';
import { backoff } from './backoff.ts';
import { Lanes } from './lanes.ts';
import type { ServedMetrics } from './metric-table.ts';
import type { Scored } from './served-server.ts';
import { type PassingReason, passingReasons } from './server-connection.ts';
import type { ServerLine } from './server-line.ts';

/** Wrong answers to a text, after which it is refused. */
const mostWrongAnswers = 4;
/** Failures on a text at a server that works otherwise, after which it is refused. */
const mostFailures = 5;
/** After so many failures of a text, the server is probed: nothing else may tell whether it works. */
const failuresUntilProbe = 3;

interface Asked {
  readonly tokenization: Tokenization;
  readonly topK: number;
}

/** A text on its way to an outcome. */
interface TextRequest extends Asked {
  readonly lane: string;
  readonly given: AbortController;
  readonly resolve: (outcome: TextOutcome) => void;
  readonly reject: (error: unknown) => void;
  tries: number;
  wrongAnswers: number;
  failures: number;
  /** Good answers that the servers had given at the last failure. */
  goodBefore: number;
}

/** Brings texts to the servers, one a request, and each again until it has an outcome. */
export class TextRequests {
  readonly #lines: readonly ServerLine[];
  readonly #onFatal: (failure: FuseMeshError) => void;
  readonly #metrics: ServedMetrics;
  readonly #teacher: string;
  readonly #waiting = new Lanes<TextRequest>();
  readonly #all = new Set<TextRequest>();
  #failure: FuseMeshError | undefined;

  constructor(
    lines: readonly ServerLine[],
    onFatal: (failure: FuseMeshError) => void,
    metrics: ServedMetrics,
    teacher: string,
  ) {
    this.#lines = lines;
    this.#onFatal = onFatal;
    this.#metrics = metrics;
    this.#teacher = teacher;
    metrics.refusals.inc({ teacher }, 0);
    for (const reason of passingReasons) metrics.retries.inc({ teacher, reason }, 0);
    metrics.requestSeconds.zero({ teacher });
  }

  /** @throws FuseMeshError cancelled when the turn's signal aborts: the request is ended; or what {@link fail} was given */
  score(asked: Asked, { lane = '', signal }: Turn): Promise<TextOutcome> {
    return new Promise<TextOutcome>((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
        return;
      }
      const given = new AbortController();
      const leave = () => {
        this.#waiting.remove(lane, request);
        end();
        given.abort();
        reject(new FuseMeshError('cancelled', 'The caller left before the text was scored.'));
      };
      const end = () => {
        signal?.removeEventListener('abort', leave);
        this.#all.delete(request);
      };
      const request: TextRequest = {
        ...asked,
        lane,
        given,
        resolve: (outcome) => {
          end();
          resolve(outcome);
        },
        reject: (error) => {
          end();
          given.abort();
          reject(error);
        },
        tries: 0,
        wrongAnswers: 0,
        failures: 0,
        goodBefore: -1,
      };
      if (signal?.aborted) {
        leave();
        return;
      }
      signal?.addEventListener('abort', leave, { once: true });
      this.#all.add(request);
      this.#waiting.add(lane, request);
      this.go();
    });
  }

  /** Ends all requests, and those to come, with this. */
  fail(error: FuseMeshError): void {
    this.#failure ??= error;
    while (this.#waiting.take() !== undefined);
    for (const request of [...this.#all]) request.reject(error);
  }

  /** Sends what waits, as far as servers have room. */
  go(): void {
    if (this.#waiting.isEmpty) return;
    for (;;) {
      const line = this.#lineWithRoom();
      const request = line && this.#waiting.take();
      if (!line || !request) return;
      void this.#send(request, line);
    }
  }

  #lineWithRoom(): ServerLine | undefined {
    let best: ServerLine | undefined;
    for (const line of this.#lines) {
      if (!line.hasRoom) continue;
      if (!best || line.window.inHand < best.window.inHand) best = line;
    }
    return best;
  }

  async #send(request: TextRequest, line: ServerLine): Promise<void> {
    const { url } = line.server;
    const teacher = this.#teacher;
    const { meetings } = line;
    const leave = line.window.enter();
    const inFlight = () => this.#metrics.requestsInFlight.set({ teacher, url }, line.window.inHand);
    inFlight();
    const began = performance.now();
    let health: Parameters<typeof leave>[0] = 'other';
    try {
      const question = { ids: request.tokenization.ids, topK: request.topK };
      const scored = await line.server.score(question, request.given.signal);
      const seconds = (performance.now() - began) / 1000;
      if (isOfText(scored) && !(await line.vouches())) {
        this.#waitAgain(request);
        return;
      }
      if (scored.kind === 'scored') health = 'good';
      if (scored.kind === 'passing' && (scored.reason === 'busy' || scored.reason === 'server_error')) {
        health = 'overload';
      }
      if (health === 'good') {
        line.countGood();
        this.#metrics.requestSeconds.observe({ teacher }, seconds);
      }
      this.#settle(request, line, scored, meetings);
    } catch (error) {
      request.reject(error);
    } finally {
      leave(health);
      inFlight();
      this.go();
    }
  }

  #settle(request: TextRequest, line: ServerLine, scored: Scored, meeting: number): void {
    switch (scored.kind) {
      case 'scored': {
        const { tokenization, topK } = request;
        request.resolve(scoredText(tokenization, { topK, ...scored.columns }));
        break;
      }
      case 'refused': {
        const { protocol } = line.server;
        const advice = protocol.refusesTopK(scored.message) ? `: ${protocol.topKAdvice(request.topK)}` : '';
        this.#refuse(request, `The server refuses it (${scored.status}): ${scored.message}${advice}`);
        break;
      }
      case 'fatal':
        this.#onFatal(scored.failure);
        break;
      case 'passing':
        this.#passed(request, line, scored, meeting);
    }
  }

  /** What was wrong passes: the text is sent again, unless it is the text that is wrong. */
  #passed(
    request: TextRequest,
    line: ServerLine,
    { reason, message }: { readonly reason: PassingReason; readonly message: string },
    meeting: number,
  ): void {
    request.tries++;
    const why = this.#whyRefused(request, line, reason, message);
    if (why !== undefined) {
      this.#refuse(request, why);
      return;
    }
    this.#metrics.retries.inc({ teacher: this.#teacher, reason });
    if (reason === 'unreachable' || reason === 'timeout') {
      line.lose(message, meeting);
      this.#waitAgain(request);
      return;
    }
    const timer = setTimeout(() => {
      request.given.signal.removeEventListener('abort', stop);
      this.#waitAgain(request);
    }, backoff(request.tries));
    const stop = () => clearTimeout(timer);
    request.given.signal.addEventListener('abort', stop, { once: true });
  }

  /** Why it is not tried again; undefined where it is. */
  #whyRefused(
    request: TextRequest,
    line: ServerLine,
    reason: PassingReason,
    message: string,
  ): string | undefined {
    if (reason === 'busy') return undefined;
    if (reason === 'wrong_answer') {
      return ++request.wrongAnswers >= mostWrongAnswers ? message : undefined;
    }
    // Only a server that has worked since the last failure shows that it is the text.
    const good = this.#lines.reduce((sum, one) => sum + one.good, 0);
    if (good > request.goodBefore) request.failures++;
    request.goodBefore = good;
    if (request.failures > mostFailures) return `${message}, ${request.failures} times on this text`;
    if (request.tries % failuresUntilProbe === 0) line.suspect();
    return undefined;
  }

  #waitAgain(request: TextRequest): void {
    if (!this.#all.has(request)) return;
    this.#waiting.putBack(request.lane, request);
    this.go();
  }

  #refuse(request: TextRequest, refusal: string): void {
    this.#metrics.refusals.inc({ teacher: this.#teacher });
    request.resolve({ refusal });
  }
}

/** Whether an answer says something of its text, be it scores, that they cannot be had or what nobody can read. */
const isOfText = (scored: Scored): boolean =>
  scored.kind === 'scored' ||
  scored.kind === 'refused' ||
  (scored.kind === 'passing' && scored.reason === 'wrong_answer');
