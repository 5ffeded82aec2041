import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Fault } from './faults/fault.ts';
import { promptAnswer } from './prompt-answer.ts';
import type { Protocol, Serving } from './protocol.ts';
import { jsonReply, type ReceivedRequest, type Reply } from './reply.ts';
import { type PromptRows, ServedModel } from './served-model.ts';
import { sglangProtocol } from './sglang-protocol.ts';
import { vllmProtocol } from './vllm-protocol.ts';

export type ServedApi = 'vllm' | 'sglang';

export interface ServedServerOptions {
  readonly api: ServedApi;
  /** The Hugging Face directory of the model. */
  readonly directory: string;
  /** What it is served as. */
  readonly name?: string;
  readonly contextLength?: number;
  readonly maxLogprobs?: number;
  readonly autoTruncate?: boolean;
  readonly apiKey?: string;
  /** 0 picks a free one. */
  readonly port?: number;
}

const protocols: Readonly<Record<ServedApi, Protocol>> = { vllm: vllmProtocol, sglang: sglangProtocol };
/** What is asked for scores: where faults happen that do not happen everywhere. */
const scoring = new Set(['/v1/completions', '/generate']);

/** A server that speaks the protocol of vLLM or SGLang, over a small model of ours, and that can be told to misbehave. */
export class ServedServer {
  /** Requests that came, by their path. */
  readonly requests = new Map<string, number>();
  /** Requests whose caller left before the answer. */
  left = 0;
  /** Most requests for scores that were in hand at a time. */
  mostInFlight = 0;
  #inFlight = 0;
  #port: number;
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();
  /** Those on which a request waits for its answer. */
  readonly #busy = new Set<Socket>();
  readonly #options: ServedServerOptions;
  readonly #model: ServedModel;
  #fault: Fault | undefined;
  #times = 0;

  private constructor(options: ServedServerOptions, model: ServedModel) {
    this.#options = options;
    this.#model = model;
    this.#port = options.port ?? 0;
  }

  static async start(options: ServedServerOptions): Promise<ServedServer> {
    const server = new ServedServer(options, await ServedModel.open(options.directory));
    await server.listen();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Requests for scores that came. */
  get asked(): number {
    return [...scoring].reduce((sum, path) => sum + (this.requests.get(path) ?? 0), 0);
  }

  /**
   * From the next request on.
   *
   * @param fault undefined: it behaves again
   * @param times requests that are answered so, after which it behaves again
   */
  misbehave(fault: Fault | undefined, times = Number.POSITIVE_INFINITY): void {
    this.#fault = fault;
    this.#times = times;
  }

  /** Listens, for the first time or again at the same port. */
  async listen(): Promise<void> {
    const server = this.#newServer();
    this.#server = server;
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Ends as a process does that is killed: every connection is reset and the port is closed. */
  async die(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  /** Resets the connection that was opened first, of those that carry no request. */
  resetIdle(): void {
    const idle = [...this.#sockets].find((socket) => !this.#busy.has(socket));
    if (idle === undefined) throw new Error('no connection is idle');
    idle.resetAndDestroy();
  }

  async stop(): Promise<void> {
    await this.die();
    await this.#model.close();
  }

  #newServer(): Server {
    const server = createServer((request, response) => void this.#answer(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {}).once('close', () => this.#sockets.delete(socket));
    });
    return server;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').replace(/\?.*$/, '');
    this.requests.set(path, (this.requests.get(path) ?? 0) + 1);
    const counted = scoring.has(path);
    if (counted) this.mostInFlight = Math.max(this.mostInFlight, ++this.#inFlight);
    this.#busy.add(request.socket);
    response.once('close', () => {
      this.#busy.delete(request.socket);
      if (counted) this.#inFlight--;
      if (!response.writableFinished) this.left++;
    });
    const received = await receive(request);
    const fault = this.#takeFault(received);
    if (fault?.silent) return;
    const reply = await this.#reply(received, fault);
    const sent = fault?.reply?.(reply) ?? reply;
    if (fault?.send) await fault.send(response, sent);
    else send(response, sent);
  }

  /** The fault that this request meets. */
  #takeFault({ path, body }: ReceivedRequest): Fault | undefined {
    const fault = this.#fault;
    if (fault === undefined || !(fault.everywhere || scoring.has(path))) return undefined;
    if (fault.only && fault.only.join() !== promptOf(body).join()) return undefined;
    if (--this.#times <= 0) this.#fault = undefined;
    return fault;
  }

  async #reply(received: ReceivedRequest, fault: Fault | undefined): Promise<Reply> {
    const {
      api,
      contextLength,
      maxLogprobs = 20,
      autoTruncate = false,
      name = 'model',
      apiKey,
    } = this.#options;
    const serving: Serving = {
      name,
      contextLength: contextLength ?? this.#model.contextLength,
      vocabularySize: this.#model.vocabularySize,
      tokenizer: fault?.tokenizer?.(this.#model.tokenizer) ?? this.#model.tokenizer,
      maxLogprobs,
      autoTruncate,
      apiKey,
      score: async (ids, k, temperature) => {
        const asked = Int32Array.from(ids);
        const scored = await this.#model.rows(fault?.prompt?.(asked) ?? asked);
        const rows = api === 'sglang' ? atTemperature(scored, temperature) : scored;
        const answer = promptAnswer(fault?.rows?.(rows) ?? rows, k);
        return fault?.answer?.(answer) ?? answer;
      },
    };
    try {
      return await protocols[api](received, serving);
    } catch (error) {
      return jsonReply(500, JSON.stringify({ error: { message: String(error), code: 500 } }));
    }
  }
}

export function send(response: ServerResponse, { status, type, body }: Reply): void {
  response.writeHead(status, { 'content-type': type, 'content-length': body.length });
  response.end(body);
}

async function receive(request: IncomingMessage): Promise<ReceivedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return {
    method: request.method ?? '',
    path: (request.url ?? '').replace(/\?.*$/, ''),
    bearer: request.headers.authorization?.replace(/^Bearer /, ''),
    body: text === '' ? undefined : JSON.parse(text),
  };
}

/** The ids that a request has scored: its prompt, as either protocol calls it. */
function promptOf(body: unknown): readonly number[] {
  const { prompt, input_ids: ids = prompt } = body as { prompt?: unknown; input_ids?: unknown };
  return Array.isArray(ids) ? ids : [];
}

/** The generated token's row, divided by the temperature; those of the prompt are not. */
function atTemperature(rows: PromptRows, temperature: number): PromptRows {
  if (temperature === 1) return rows;
  const { vocabularySize: V } = rows;
  const logProbabilities = rows.logProbabilities.slice();
  const last = logProbabilities.subarray(logProbabilities.length - V).map((value) => value / temperature);
  const sum = Math.log(last.reduce((total, value) => total + Math.exp(value), 0));
  logProbabilities.set(
    last.map((value) => value - sum),
    logProbabilities.length - V,
  );
  return { ...rows, logProbabilities };
}
