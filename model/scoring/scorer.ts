import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { ChatTemplate } from '../chat/chat-template.ts';
import { ContentEncoder } from '../chat/content-encoder.ts';
import type { Content } from '../chat/conversation.ts';
import { findModelFiles } from '../model-files.ts';
import type { Placement } from '../runtime/placement.ts';
import { type Turn, Turns } from '../runtime/turns.ts';
import { type RunningWorker, startWorker } from '../runtime/worker.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { ModelCard } from './model-card.ts';
import type { ScoredModel } from './open-scored-model.ts';
import type { PaddedScores } from './padded-scores.ts';
import { type ScoredText, scoredText } from './scored-text.ts';
import type { ScoringMethods } from './scoring-worker.ts';

/** How a {@link Scorer} is loaded. */
export interface ScorerOptions {
  /** Candidates a row where a call does not say otherwise. */
  readonly topK: number;
  /** Of one matrix product. */
  readonly threads: number;
  /** Left out, the processor computes. */
  readonly placement?: Placement;
  /** A chat template to take instead of the model's own, as a file in Jinja. */
  readonly chatTemplate?: string | undefined;
}

/** A language model that says how probable texts and conversations are. It runs in a worker thread of its own. */
export class Scorer {
  readonly #encoder: ContentEncoder;
  readonly card: ModelCard;
  /** Operators that the processor computes although the model is on a device, by their names in ONNX. */
  readonly onProcessor: ReadonlySet<string>;
  /** How quantized weights are computed, in a line; undefined where there are none. */
  readonly quantized: string | undefined;
  readonly #name: string;
  readonly #topK: number;
  readonly #turns = new Turns();
  readonly #worker: RunningWorker<ScoringMethods>;

  private constructor(
    name: string,
    encoder: ContentEncoder,
    { card, onProcessor, quantized }: Pick<ScoredModel, 'card' | 'onProcessor' | 'quantized'>,
    topK: number,
    worker: RunningWorker<ScoringMethods>,
  ) {
    this.#name = name;
    this.#encoder = encoder;
    this.card = card;
    this.onProcessor = onProcessor;
    this.quantized = quantized;
    this.#topK = topK;
    this.#worker = worker;
  }

  get tokenizer(): Tokenizer {
    return this.#encoder.tokenizer;
  }

  /** How it reads conversations. */
  get template(): ChatTemplate {
    return this.#encoder.template;
  }

  /**
   * Loads a Hugging Face directory: config.json, tokenizer.json, and model.safetensors or, where there is none,
   * model.onnx or onnx/model.onnx as exporters write it.
   *
   * @param path the directory; or an .onnx file in it or in a folder of it
   * @throws FuseMeshError not_found when a file is missing, invalid_argument or data_loss when one does not fit,
   *   failed_precondition where there is no such GPU
   */
  static async load(
    path: string,
    { topK, threads, placement, chatTemplate }: ScorerOptions,
  ): Promise<Scorer> {
    const files = await findModelFiles(path);
    const worker = startWorker<ScoringMethods>(new URL('./scoring-worker.ts', import.meta.url));
    try {
      const model = await worker.remote.load(files, threads, placement);
      const tokenizer = await Tokenizer.fromFile(join(files.directory, 'tokenizer.json'));
      tokenizer.expectModelOf(model.card.vocabularySize, files.directory);
      const template = await ChatTemplate.fromDirectory(files.directory, chatTemplate);
      return new Scorer(path, new ContentEncoder(tokenizer, template), model, topK, worker);
    } catch (error) {
      await worker.stop();
      throw error;
    }
  }

  /**
   * Scores contents together, padded to the longest. Those of a batch do not change one another.
   *
   * @param turn how the call waits while others are scored
   * @throws FuseMeshError invalid_argument for a text without tokens or longer than the context, a conversation that
   * the template does not take, or a k outside 1 … vocabulary size; cancelled when the turn's signal aborts before they
   * are scored
   */
  async score(contents: readonly Content[], topK = this.#topK, turn: Turn = {}): Promise<ScoredText[]> {
    if (contents.length === 0) return [];
    const tokenizations = await this.#encoder.encodeBatch(contents);
    const scores = await this.#score(
      tokenizations.map(({ ids }) => ids),
      topK,
      turn,
    );
    return tokenizations.map((tokenization, row) =>
      scoredText(tokenization, rowsOf(tokenization.ids.length, scores, row, topK)),
    );
  }

  /**
   * Scores token ids as they are, padded together as texts are.
   *
   * @param texts [texts][n] token ids
   * @returns [texts][n] natural log-probability of token i after those before it; 0 for the first
   * @throws FuseMeshError invalid_argument for a text without tokens or longer than the context
   */
  async scoreTokens(texts: readonly Int32Array[]): Promise<Float32Array[]> {
    if (texts.length === 0) return [];
    const scores = await this.#score(texts, 1);
    return texts.map(({ length }, row) => logProbabilitiesOfTokens(length, scores, row));
  }

  async #score(texts: readonly Int32Array[], topK: number, turn: Turn = {}): Promise<PaddedScores> {
    const { vocabularySize, contextLength } = this.card;
    if (!Number.isInteger(topK) || topK < 1 || topK > vocabularySize) {
      throw new FuseMeshError('invalid_argument', `top_k is ${topK}; use 1 to ${vocabularySize}`);
    }
    for (const { length } of texts) {
      if (length === 0) throw new FuseMeshError('invalid_argument', 'The text is empty; nothing to score');
      if (length > contextLength) {
        throw new FuseMeshError(
          'invalid_argument',
          `The text has ${length} tokens, the context of ${this.#name} ${contextLength}: split the text`,
        );
      }
    }
    return this.#turns.take(() => this.#worker.remote.score(texts, topK), turn);
  }

  /**
   * Resolves when the worker thread ends by itself, after which it cannot score any more; never after
   * `close`.
   */
  get failed(): Promise<FuseMeshError> {
    return this.#worker.failed;
  }

  close(): Promise<void> {
    return this.#worker.stop();
  }
}

/** Cuts one text's rows out of the padded scores. */
function rowsOf(length: number, scores: PaddedScores, row: number, topK: number) {
  const first = row * scores.length;
  const cells = [first * topK, (first + length) * topK] as const;
  return {
    topK,
    candidateIds: scores.candidateIds.slice(...cells),
    logProbabilities: scores.logProbabilities.slice(...cells),
    tokenLogProbabilities: logProbabilitiesOfTokens(length, scores, row),
  };
}

/** [n] log-probability of each token of one text; 0 for the first, which nothing predicts. */
function logProbabilitiesOfTokens(n: number, scores: PaddedScores, row: number): Float32Array {
  const first = row * scores.length;
  const logProbabilities = new Float32Array(n);
  logProbabilities.set(scores.labelLogProbabilities.subarray(first, first + n - 1), 1);
  return logProbabilities;
}
