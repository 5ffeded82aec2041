import { FuseMeshError } from '../../../../errors/fusemesh-error.ts';
import { columnsCheck } from './check-columns.ts';
import type { AnswerColumns, ScoreQuestion, ServedProtocol } from './protocol.ts';
import type { Exchange, PassingReason, ServerConnection } from './server-connection.ts';

const smallAnswer = 4 * 2 ** 20;
/** Beside the rows: a megabyte. A candidate is told in some 70 bytes, with a long escaped text in a few hundred. */
const bytesBeside = 2 ** 20;
const bytesOfCandidate = 400;

/** What came of asking a server for scores. */
export type Scored =
  | { readonly kind: 'scored'; readonly columns: AnswerColumns }
  | Exclude<Exchange, { kind: 'answer' }>;

/** One server, spoken to by its protocol; every answer is checked. */
export class ServedServer {
  readonly protocol: ServedProtocol;
  readonly #connection: ServerConnection;
  readonly #model: string;
  readonly #check: ReturnType<typeof columnsCheck>;

  constructor(
    protocol: ServedProtocol,
    connection: ServerConnection,
    { model, vocabularySize }: { readonly model: string; readonly vocabularySize: number },
  ) {
    this.protocol = protocol;
    this.#connection = connection;
    this.#model = model;
    this.#check = columnsCheck(vocabularySize);
  }

  get url(): string {
    return this.#connection.url;
  }

  /** How often a connection to it was opened or closed so far. */
  get changes(): number {
    return this.#connection.changes;
  }

  /** @throws FuseMeshError cancelled when aborted */
  async score(question: ScoreQuestion, signal: AbortSignal): Promise<Scored> {
    const { scorePath } = this.protocol;
    const exchange = await this.#connection.ask(scorePath, this.protocol.scoreBody(question, this.#model), {
      signal,
      mostBytes: bytesBeside + question.ids.length * (question.topK + 1) * bytesOfCandidate,
    });
    if (exchange.kind === 'refused' && this.protocol.passes(exchange.message)) {
      return this.#passing('nan', `fails (${exchange.status}): ${exchange.message}`);
    }
    if (exchange.kind !== 'answer') return exchange;
    try {
      const columns = this.protocol.readScore(exchange.body, question);
      this.#check(columns, question.topK);
      return { kind: 'scored', columns };
    } catch (error) {
      if (!(error instanceof FuseMeshError && error.code === 'data_loss')) throw error;
      return { kind: 'passing', reason: 'wrong_answer', message: error.message };
    }
  }

  /** The JSON of a small answer. */
  async json(path: string, body: string | undefined, signal: AbortSignal): Promise<Exchange> {
    return this.#connection.ask(path, body, { signal, mostBytes: smallAnswer });
  }

  /** How a text is cut into tokens there, without special ones; a 404 where the server does not say. */
  tokenize(text: string, signal: AbortSignal): Promise<Exchange> {
    const body = { model: this.#model, prompt: text, add_special_tokens: false };
    return this.json('/tokenize', JSON.stringify(body), signal);
  }

  /** A text as it is, to be cut and scored there. */
  scoreText(body: string, signal: AbortSignal): Promise<Exchange> {
    return this.json(this.protocol.scorePath, body, signal);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #passing(reason: PassingReason, what: string): Scored {
    return { kind: 'passing', reason, message: `The server at ${this.url} ${what}` };
  }
}

/**
 * The answer of an exchange.
 *
 * @throws FuseMeshError unavailable or (where the server is busy) resource_exhausted for what passes, invalid_argument for a
 *   refusal, or what is wrong for good
 */
export function answerOf(exchange: Exchange, url: string): Buffer {
  switch (exchange.kind) {
    case 'answer':
      return exchange.body;
    case 'passing':
      throw new FuseMeshError(
        exchange.reason === 'busy' ? 'resource_exhausted' : 'unavailable',
        exchange.message,
      );
    case 'refused':
      throw new FuseMeshError(
        'invalid_argument',
        `The server at ${url} refuses (${exchange.status}): ${exchange.message}`,
      );
    case 'fatal':
      throw exchange.failure;
  }
}
