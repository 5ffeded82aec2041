import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FuseMeshError } from '../../../../errors/fusemesh-error.ts';
import { ChatTemplate } from '../../../../model/chat/chat-template.ts';
import { ContentEncoder } from '../../../../model/chat/content-encoder.ts';
import type { Content } from '../../../../model/chat/conversation.ts';
import type { Turn } from '../../../../model/runtime/turns.ts';
import type { ModelCard } from '../../../../model/scoring/model-card.ts';
import type { Tokenization } from '../../../../model/tokenizer/tokenization.ts';
import { Tokenizer } from '../../../../model/tokenizer/tokenizer.ts';
import type { Log } from '../../../../process/log/log.ts';
import type { RefusedText, ServerProbe, TeacherModel, TextOutcome } from '../../teacher-model.ts';
import type { Acquaintance } from './meet-server.ts';
import type { ServedMetrics } from './metric-table.ts';
import type { ServedProtocol } from './protocol.ts';
import { ServedServer } from './served-server.ts';
import { type ServerAddress, ServerConnection, type TimeLimits } from './server-connection.ts';
import { ServerLine } from './server-line.ts';
import { TextRequests } from './text-requests.ts';

/** What a {@link ServedModel} is, and who serves it. */
export interface ServedModelOptions {
  /** The teacher's name, for metrics. */
  readonly teacher: string;
  readonly protocol: ServedProtocol;
  /** Replicas of one model. */
  readonly servers: readonly ServerAddress[];
  /** Its id at the servers. */
  readonly model: string;
  /** Directory with its tokenizer.json, its chat template, and config.json where it is at hand. */
  readonly tokenizer: string;
  /** A chat template to take instead of that directory's, as a file in Jinja. */
  readonly chatTemplate?: string | undefined;
  /** k of the run. */
  readonly topK: number;
  /** Tokens of the run's longest document. */
  readonly contextLength: number;
  /** Most requests that one server has at a time. */
  readonly inFlight: number;
  readonly metrics: ServedMetrics;
  readonly log: Log;
  /** Aborts the wait for the servers. */
  readonly signal: AbortSignal;
  /** Hears why no server can be used, or undefined when one can. */
  readonly onState?: (problem: string | undefined) => void;
  /** Left out, those of {@link ServerConnection}. */
  readonly limits?: TimeLimits;
}

/** A model that servers compute, which are asked over HTTP. It scores, and does not generate. */
export class ServedModel implements TeacherModel {
  readonly card: ModelCard;
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate;
  readonly fingerprint: Uint8Array;
  readonly probe: ServerProbe;
  readonly failed: Promise<FuseMeshError>;
  readonly textsAtOnce: number;
  readonly #encoder: ContentEncoder;
  readonly #requests: TextRequests;
  readonly #close: () => Promise<void>;

  private constructor(
    card: ModelCard,
    encoder: ContentEncoder,
    options: Pick<ServedModelOptions, 'model' | 'inFlight' | 'servers'>,
    work: {
      readonly probe: ServerProbe;
      readonly requests: TextRequests;
      readonly failed: Promise<FuseMeshError>;
      close(): Promise<void>;
    },
  ) {
    this.card = card;
    this.tokenizer = encoder.tokenizer;
    this.template = encoder.template;
    this.#encoder = encoder;
    this.probe = work.probe;
    this.failed = work.failed;
    this.textsAtOnce = options.inFlight * options.servers.length;
    this.#requests = work.requests;
    this.#close = () => work.close();
    // What equal servers have in common. Probe values differ in their last digits: they are compared, not hashed.
    this.fingerprint = new Uint8Array(
      createHash('sha256')
        .update(`served ${JSON.stringify(options.model)}\n`)
        .update(encoder.tokenizer.fingerprint)
        .digest(),
    );
  }

  /**
   * Waits until a server has the model and passes the probe.
   *
   * @throws FuseMeshError not_found or invalid_argument for the tokenizer; permission_denied, not_found or
   *   failed_precondition where the server or its model is not what it should be; cancelled when aborted
   */
  static async connect(options: ServedModelOptions): Promise<ServedModel> {
    const { protocol, model, inFlight, metrics, log, limits, teacher } = options;
    const tokenizer = await Tokenizer.fromFile(join(options.tokenizer, 'tokenizer.json'));
    const { family, vocabularySize } = await configBeside(options.tokenizer, tokenizer);
    const template = await ChatTemplate.fromDirectory(options.tokenizer, options.chatTemplate);

    const ended = new AbortController();
    const failure = settled<FuseMeshError>();
    const first = settled<Acquaintance>();
    let known: Acquaintance | undefined;
    const lines: ServerLine[] = [];
    const fail = (error: FuseMeshError) => {
      failure.resolve(error);
      first.reject(error);
      requests.fail(error);
      ended.abort();
    };
    const requests = new TextRequests(lines, fail, metrics, teacher);
    const onChange = () => {
      for (const { server, isUp } of lines) metrics.serverUp.set({ teacher, url: server.url }, isUp ? 1 : 0);
      const urls = lines.map(({ server }) => server.url).join(', ');
      options.onState?.(lines.some(({ isUp }) => isUp) ? undefined : `${urls} does not answer`);
      requests.go();
    };
    const onMet = (met: Acquaintance, url: string): Acquaintance => {
      metrics.probeDifference.set({ teacher, url }, met.difference);
      known ??= met;
      first.resolve(known);
      return known;
    };
    const expected = { model, tokenizer, topK: options.topK, contextLength: options.contextLength };
    for (const address of options.servers) {
      const connection = new ServerConnection(address, inFlight + 2, limits);
      const server = new ServedServer(protocol, connection, { model, vocabularySize });
      lines.push(new ServerLine(server, inFlight, expected, { onChange, onMet, onFailure: fail }, log));
    }
    onChange();
    const close = async () => {
      ended.abort();
      requests.fail(new FuseMeshError('cancelled', 'The teacher is closed.'));
      await Promise.all(kept);
      await Promise.all(lines.map(({ server }) => server.close()));
    };
    const leave = () =>
      first.reject(new FuseMeshError('cancelled', 'Stopped while it waited for the servers.'));
    options.signal.addEventListener('abort', leave, { once: true });
    if (options.signal.aborted) leave();
    const kept = lines.map((line) => line.keep(ended.signal));
    try {
      const { modelLength, ...probe } = await first.promise;
      // One more is generated behind every text.
      const card = { family, parameters: 0, vocabularySize, contextLength: modelLength - 1 };
      const work = { probe, requests, failed: failure.promise, close };
      return new ServedModel(card, new ContentEncoder(tokenizer, template), options, work);
    } catch (error) {
      await close();
      throw error;
    } finally {
      options.signal.removeEventListener('abort', leave);
    }
  }

  /** Every content is a request of its own. */
  async score(contents: readonly Content[], topK: number, turn: Turn): Promise<TextOutcome[]> {
    const tokenizations = await this.#encoded(contents);
    return Promise.all(
      tokenizations.map((tokenization) => {
        if ('refusal' in tokenization) return tokenization;
        const refusal = this.#refusalOf(tokenization.ids.length, topK);
        return refusal === undefined ? this.#requests.score({ tokenization, topK }, turn) : { refusal };
      }),
    );
  }

  /** Together; each alone where the template does not take one of them. */
  async #encoded(contents: readonly Content[]): Promise<(Tokenization | RefusedText)[]> {
    try {
      return await this.#encoder.encodeBatch(contents);
    } catch (error) {
      if (!(error instanceof FuseMeshError && error.code === 'invalid_argument')) throw error;
      if (contents.length === 1) return [{ refusal: error.message }];
    }
    return (await Promise.all(contents.map((content) => this.#encoded([content])))).flat();
  }

  #refusalOf(tokens: number, topK: number): string | undefined {
    const { vocabularySize, contextLength } = this.card;
    if (topK < 1 || topK > vocabularySize) return `top_k is ${topK}; use 1 to ${vocabularySize}`;
    if (tokens === 0) return 'The text is empty; nothing to score';
    if (tokens <= contextLength) return undefined;
    return `The text has ${tokens} tokens, the context at the server ${contextLength}: split the text`;
  }

  close(): Promise<void> {
    return this.#close();
  }
}

/** A promise, and what settles it. */
function settled<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: FuseMeshError) => void = () => {};
  const promise = new Promise<T>((...both) => {
    [resolve, reject] = both;
  });
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

/** What the model's config.json says, where it lies beside the tokenizer: a vocabulary may be larger than the tokenizer's. */
async function configBeside(
  directory: string,
  tokenizer: Tokenizer,
): Promise<Pick<ModelCard, 'family' | 'vocabularySize'>> {
  const text = await readFile(join(directory, 'config.json'), 'utf8').catch(() => '{}');
  let config: { model_type?: unknown; vocab_size?: unknown; text_config?: { vocab_size?: unknown } };
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new FuseMeshError('invalid_argument', `${join(directory, 'config.json')} is no JSON`, { cause });
  }
  const size = config.vocab_size ?? config.text_config?.vocab_size;
  const vocabularySize = Number.isInteger(size) ? Number(size) : tokenizer.vocabularySize;
  tokenizer.expectModelOf(vocabularySize, directory);
  return { family: typeof config.model_type === 'string' ? config.model_type : 'served', vocabularySize };
}
