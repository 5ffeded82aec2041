import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { create, type DescMessage, type MessageInitShape, toJson } from '@bufbuild/protobuf';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import {
  GetAlignmentResponseSchema,
  GetHistoryResponseSchema,
  GetStatusResponseSchema,
} from '../wire/generated/fusemesh/v1/trainer_pb.ts';
import { type Answer, failure, json, send } from './answer.ts';
import { bundle } from './bundle.ts';
import { favicon } from './documents/favicon.ts';
import { liveDocument } from './documents/live-document.ts';
import type { PageSource } from './page-source.ts';

type Answers = Readonly<Record<string, (query: URLSearchParams) => Answer | Promise<Answer>>>;

/** An open page asks for the status every second, a hidden one not at all. */
const openFor = 3_000;
const farewellTakes = 1_500;

/** The page of a trainer, for an HTTP server. */
export interface ServedPage {
  /** Answers a request; false where the path is not one of the page's. */
  route(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** Waits until an open page has heard how the run ended; returns at once where none is open. */
  farewell(): Promise<void>;
}

/** Serves the page and the messages that it shows. */
export function servePage(source: PageSource): ServedPage {
  const answers = answersOf(source);
  let askedAt = Number.NEGATIVE_INFINITY;
  const farewell = async () => {
    if (performance.now() - askedAt < openFor) await sleep(farewellTakes);
  };
  const route = async (request: IncomingMessage, response: ServerResponse) => {
    const [path, query] = (request.url ?? '/').split('?', 2);
    if (path === '/api/status') askedAt = performance.now();
    const answer = Object.hasOwn(answers, path) ? answers[path] : undefined;
    if (answer === undefined) return false;
    if (request.method === 'GET' || request.method === 'HEAD') {
      send(request, response, await orFailure(() => answer(new URLSearchParams(query))));
    } else {
      const refusal = failure(405, 'unimplemented', `${path} is only read: use GET`);
      send(request, response, { ...refusal, headers: { Allow: 'GET, HEAD' } });
    }
    return true;
  };
  return { route, farewell };
}

const answersOf = (source: PageSource): Answers => ({
  '/': () => ({ type: 'text/html; charset=utf-8', body: liveDocument, lasting: true }),
  '/page.js': async () => ({
    type: 'text/javascript; charset=utf-8',
    body: (await bundle('live')).script,
    lasting: true,
  }),
  '/page.css': async () => ({
    type: 'text/css; charset=utf-8',
    body: (await bundle('live')).style,
    lasting: true,
  }),
  '/favicon.svg': () => ({ type: 'image/svg+xml', body: favicon, lasting: true }),
  '/favicon.ico': () => ({ type: 'image/svg+xml', body: favicon, lasting: true }),
  '/api/status': () => message(GetStatusResponseSchema, source.status()),
  '/api/history': (query) =>
    message(GetHistoryResponseSchema, source.history(stepOf(query.get('after_step') ?? '0'))),
  '/api/alignment': () => {
    const alignment = source.alignment();
    if (alignment) return message(GetAlignmentResponseSchema, alignment);
    throw new FuseMeshError('not_found', 'No document has been trained on since this trainer began.');
  },
});

/** A message in protobuf's JSON, zeros and empty lists written out. */
const message = <Desc extends DescMessage>(schema: Desc, content: MessageInitShape<Desc>): Answer =>
  json(toJson(schema, create(schema, content), { alwaysEmitImplicit: true }));

function stepOf(text: string): number {
  const step = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(step)) return step;
  throw new FuseMeshError('invalid_argument', `after_step=${text}: give the number of a step, 0 or more`);
}

const statusOf: Readonly<Partial<Record<FuseMeshError['code'], number>>> = {
  invalid_argument: 400,
  not_found: 404,
};

/** A failure of the page must not end the training. */
async function orFailure(make: () => Answer | Promise<Answer>): Promise<Answer> {
  try {
    return await make();
  } catch (error) {
    const code = error instanceof FuseMeshError ? error.code : 'internal';
    return failure(statusOf[code] ?? 500, code, (error as Error).message);
  }
}
