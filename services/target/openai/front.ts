import type { IncomingMessage, ServerResponse } from 'node:http';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { HttpRefusal } from '../../../process/http/http-access.ts';
import type { Log } from '../../../process/log/log.ts';
import type { Answers } from '../answers/answers.ts';
import { chatCompletions } from './chat-completions.ts';
import { completions } from './completions.ts';
import { errorAnswer } from './error-answer.ts';
import type { Exchange } from './exchange.ts';
import { modelList, modelObject, refuseOtherModel } from './models.ts';
import { readBody } from './read-body.ts';
import { RequestRefusal } from './request-refusal.ts';
import { tellStep } from './weights-step.ts';

const prefix = '/v1/';
const posts: Readonly<Record<string, (exchange: Exchange) => Promise<void>>> = {
  '/v1/completions': completions,
  '/v1/chat/completions': chatCompletions,
};

/** The OpenAI-compatible front of the target service, behind the process's HTTP server. */
export class OpenAiFront {
  readonly #name: string;
  readonly #log: Log;
  readonly #created = Math.floor(Date.now() / 1000);
  readonly #inHand = new Set<Promise<void>>();
  #answers: Answers | undefined;
  #problem = 'the model is being loaded';

  /** @param name of the model that is served: the run's */
  constructor(name: string, log: Log) {
    this.#name = name;
    this.#log = log;
  }

  /** Answers from now on; until then, requests are refused with 503. */
  open(answers: Answers): void {
    this.#answers = answers;
  }

  /** Refuses new requests and waits for those in hand, so long at most. */
  async close(withinMs: number): Promise<void> {
    this.#answers = undefined;
    this.#problem = 'it is stopping';
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs);
    });
    await Promise.race([Promise.all(this.#inHand), late]);
    clearTimeout(timer);
  }

  /** A route of the HTTP server: false for a path that is not under /v1. */
  readonly route = async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const path = pathOf(request);
    if (!path.startsWith(prefix)) return false;
    const abort = new AbortController();
    let left = false;
    response.once('close', () => {
      left = !response.writableFinished;
      if (left) abort.abort();
    });
    const handled = this.#handle(path, request, response, abort).catch((error: unknown) => {
      // An answer that fails aborts the others: that is not the caller's leaving.
      if (!left && !(request.destroyed && !request.complete)) this.#refuse(error, path, response);
    });
    this.#inHand.add(handled);
    await handled;
    this.#inHand.delete(handled);
    this.#answers?.countHttp(endpointOf(path), left ? 499 : response.statusCode);
    return true;
  };

  /** Who may not call is told so as OpenAI's API does: false for a path that is not under /v1. */
  readonly refuseAccess = (
    request: IncomingMessage,
    response: ServerResponse,
    refusal: HttpRefusal,
  ): boolean => {
    if (!pathOf(request).startsWith(prefix)) return false;
    const code = refusal.status === 401 ? 'unauthenticated' : 'permission_denied';
    const { status, body } = errorAnswer(new FuseMeshError(code, `${refusal.text}.`));
    const headers = refusal.status === 401 ? { 'WWW-Authenticate': 'Bearer realm="FuseMesh"' } : {};
    response.writeHead(status, { ...headers, 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    return true;
  };

  async #handle(
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
    abort: AbortController,
  ): Promise<void> {
    const answers = this.#answers;
    if (answers === undefined) {
      throw new FuseMeshError('unavailable', `The target service cannot answer now: ${this.#problem}.`);
    }
    const answer = posts[path];
    if (answer !== undefined) {
      expectMethod(request, response, 'POST');
      await answer({ body: await readBody(request), response, abort, answers, name: this.#name });
      return;
    }
    if (path !== '/v1/models' && !path.startsWith('/v1/models/')) {
      throw new RequestRefusal(
        `There is no ${path.slice(0, 80)} here: ask /v1/models, /v1/completions or /v1/chat/completions.`,
        { code: 'not_found', reason: 'unknown_url' },
      );
    }
    expectMethod(request, response, 'GET');
    const asked = path.slice('/v1/models/'.length);
    if (asked !== '') refuseOtherModel(asked, this.#name);
    const told = (asked === '' ? modelList : modelObject)(this.#name, answers, this.#created);
    tellStep(response, String(answers.step))
      .setHeader('Content-Type', 'application/json')
      .end(JSON.stringify(told));
  }

  #refuse(error: unknown, path: string, response: ServerResponse): void {
    const { status, headers, body } = errorAnswer(error);
    if (!(error instanceof FuseMeshError)) this.#log.error({ path, err: error }, `${path} failed`);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    // What is left of a body that was too long is not read.
    if (status === 413) response.setHeader('Connection', 'close');
    response.writeHead(status, { ...headers, 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  }
}

function expectMethod({ method }: IncomingMessage, response: ServerResponse, expected: string): void {
  if (method === expected) return;
  response.setHeader('Allow', expected);
  throw new RequestRefusal(`${method} is not done here: send a ${expected}.`, { status: 405 });
}

/** Clients put ids of models into it encoded. */
function pathOf({ url = '' }: IncomingMessage): string {
  const path = url.split('?')[0];
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** For the metric: as few values as there are endpoints. */
const endpointOf = (path: string): string => {
  if (path in posts) return path;
  return path.startsWith('/v1/models') ? '/v1/models' : 'other';
};
