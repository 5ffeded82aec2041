import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { ChatTemplate } from '../../model/chat/chat-template.ts';
import { ContentEncoder } from '../../model/chat/content-encoder.ts';
import type { Content } from '../../model/chat/conversation.ts';
import { readArchitecture } from '../../model/families/read-architecture.ts';
import { parameterCount } from '../../model/families/weight-shapes.ts';
import { bytesOfToken } from '../../model/generation/cache-sizes.ts';
import { type GeneratedPiece, type GenerationRequest, Generator } from '../../model/generation/generator.ts';
import { onProcessorInWords } from '../../model/runtime/on-processor.ts';
import type { Placement } from '../../model/runtime/placement.ts';
import type { ModelCard } from '../../model/scoring/model-card.ts';
import type { ScoredText } from '../../model/scoring/scored-text.ts';
import { Scorer } from '../../model/scoring/scorer.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { HeldModels } from './held-models.ts';

/** Of all answers together, where the run file does not say how many tokens. */
const mostCachedByDefault = 65_536;

/** How a {@link TargetModel} is loaded. */
export interface TargetModelOptions {
  /** Training step of the weights. */
  readonly step: number;
  /** Of one matrix product. */
  readonly threads: number;
  readonly placement: Placement;
  /** Most answers that are written at a time. */
  readonly slots: number;
  /** Tokens that the key-value cache has room for; left out, slots times the context, 65,536 at most. */
  readonly cacheTokens?: number | undefined;
  /** A chat template to take instead of the model's own, as a file in Jinja. */
  readonly chatTemplate?: string | undefined;
  /** Hears, in a line, what the processor computes although the model is on a GPU. */
  readonly onProcessor?: (line: string) => void;
}

/** A content as weights of one step score it. */
export interface ScoredByStep {
  readonly scored: ScoredText;
  readonly step: number;
}

/**
 * The target with its newest weights, in worker threads of this process. New ones take the place of the old while calls
 * go on; each call ends on the weights that it began with.
 */
export class TargetModel {
  readonly card: ModelCard;
  readonly encoder: ContentEncoder;
  /** Resolves with the reason when the model can answer no more; never when it was closed. */
  readonly failed: Promise<FuseMeshError>;
  #fail: (failure: FuseMeshError) => void = () => {};
  readonly #generator: Generator;
  readonly #scorers: HeldModels<Scorer>;

  private constructor(
    card: ModelCard,
    encoder: ContentEncoder,
    generator: Generator,
    scorers: HeldModels<Scorer>,
  ) {
    this.card = card;
    this.encoder = encoder;
    this.#generator = generator;
    this.#scorers = scorers;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    void generator.failed.then(this.#fail);
  }

  /**
   * @param directory a Hugging Face directory, whose files stay as they are while its weights are in use
   * @throws FuseMeshError as Generator.load does
   */
  static async load(
    directory: string,
    { step, slots, cacheTokens, chatTemplate, onProcessor, ...computing }: TargetModelOptions,
  ): Promise<TargetModel> {
    const architecture = await readArchitecture(directory);
    const { family, vocabularySize, contextLength, weights } = architecture;
    const card = { family, parameters: parameterCount(weights), vocabularySize, contextLength };
    const tokenizer = await Tokenizer.fromFile(join(directory, 'tokenizer.json'));
    tokenizer.expectModelOf(vocabularySize, directory);
    const template = await ChatTemplate.fromDirectory(directory, chatTemplate);
    const cached =
      cacheTokens ?? Math.max(contextLength, Math.min(slots * contextLength, mostCachedByDefault));
    const cacheBytes = cached * bytesOfToken(architecture);
    const generator = await Generator.load(directory, { ...computing, version: step, slots, cacheBytes });
    const line = onProcessorInWords(computing.placement, [...generator.onProcessor]);
    if (line) onProcessor?.(line);
    const scorers = new HeldModels(
      (from) => Scorer.load(from, { topK: 1, ...computing, chatTemplate }),
      directory,
      step,
    );
    return new TargetModel(card, new ContentEncoder(tokenizer, template), generator, scorers);
  }

  /**
   * Takes the weights of another directory for calls that begin from now on.
   *
   * @throws FuseMeshError invalid_argument where it is another model, or what its files cannot be read with; the weights
   *   remain those before
   */
  async replace(directory: string, step: number): Promise<void> {
    await this.#generator.replace(directory, step);
    await this.#scorers.replace(directory, step);
  }

  /** @throws FuseMeshError as Generator.generate does */
  async *generate(request: GenerationRequest, signal: AbortSignal): AsyncGenerator<GeneratedPiece> {
    try {
      yield* this.#generator.generate(request, signal);
    } catch (error) {
      this.#failIfLost(error);
      throw error;
    }
  }

  /** A model of its own is loaded for it when it is first asked for, and after each new weights. */
  async score(content: Content, topK: number, signal: AbortSignal): Promise<ScoredByStep> {
    try {
      const { model, step, release } = await this.#scorers.hold();
      try {
        const [scored] = await model.score([content], topK, { signal });
        return { scored, step };
      } finally {
        release();
      }
    } catch (error) {
      this.#failIfLost(error);
      throw error;
    }
  }

  /** A GPU that is lost comes back to a new process only. */
  #failIfLost(error: unknown): void {
    if (error instanceof FuseMeshError && error.code === 'unavailable') this.#fail(error);
  }

  async close(): Promise<void> {
    await Promise.all([this.#generator.close(), this.#scorers.close()]);
  }
}
