import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { ChatTemplate } from '../../../model/chat/chat-template.ts';
import type { Content } from '../../../model/chat/conversation.ts';
import {
  type GeneratedPiece,
  type GenerationRequest,
  Generator,
} from '../../../model/generation/generator.ts';
import { modelFingerprint } from '../../../model/model-fingerprint.ts';
import { onProcessorInWords } from '../../../model/runtime/on-processor.ts';
import type { Placement } from '../../../model/runtime/placement.ts';
import type { Turn } from '../../../model/runtime/turns.ts';
import type { ModelCard } from '../../../model/scoring/model-card.ts';
import { Scorer } from '../../../model/scoring/scorer.ts';
import type { Tokenizer } from '../../../model/tokenizer/tokenizer.ts';
import type { TeacherModel, TextOutcome } from '../teacher-model.ts';

/** How an {@link OnnxModel} is loaded. */
export interface OnnxModelOptions {
  /** k of the run: what is asked for mostly. */
  readonly topK: number;
  /** Of one matrix product. */
  readonly threads: number;
  /** A chat template to take instead of the model's own, as a file in Jinja. */
  readonly chatTemplate?: string | undefined;
  /** Left out, the processor computes. */
  readonly placement?: Placement;
  /** Hears, in a line, what the processor computes although the model is on a GPU; once. */
  readonly onProcessor?: (line: string) => void;
  /** Hears, in a line, how quantized weights are computed. */
  readonly onQuantized?: (line: string) => void;
}

/** A model on this machine's disk, which ONNX Runtime computes in worker threads of this process. */
export class OnnxModel implements TeacherModel {
  readonly card: ModelCard;
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate;
  readonly fingerprint: Uint8Array;
  readonly failed: Promise<FuseMeshError>;
  #fail: (failure: FuseMeshError) => void = () => {};
  readonly #scorer: Scorer;
  readonly #loadGenerator: () => Promise<Generator>;
  #generator: Promise<Generator> | undefined;

  private constructor(scorer: Scorer, fingerprint: Uint8Array, loadGenerator: () => Promise<Generator>) {
    this.card = scorer.card;
    this.tokenizer = scorer.tokenizer;
    this.template = scorer.template;
    this.fingerprint = fingerprint;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    void scorer.failed.then(this.#fail);
    this.#scorer = scorer;
    this.#loadGenerator = loadGenerator;
  }

  /**
   * @param path a Hugging Face directory, or an .onnx file in it
   * @throws FuseMeshError as Scorer.load does
   */
  static async load(
    path: string,
    { topK, onProcessor, onQuantized, ...computing }: OnnxModelOptions,
  ): Promise<OnnxModel> {
    const named = new Set<string>();
    const tell = (operators: ReadonlySet<string>) => {
      const others = [...operators].filter((operator) => !named.has(operator));
      for (const operator of others) named.add(operator);
      const line = computing.placement && onProcessorInWords(computing.placement, others);
      if (line) onProcessor?.(line);
    };
    const scorer = await Scorer.load(path, { topK, ...computing });
    try {
      tell(scorer.onProcessor);
      if (scorer.quantized) onQuantized?.(scorer.quantized);
      const fingerprint = await modelFingerprint(path);
      return new OnnxModel(scorer, fingerprint, async () => {
        const generator = await Generator.load(path, computing);
        tell(generator.onProcessor);
        return generator;
      });
    } catch (error) {
      await scorer.close();
      throw error;
    }
  }

  /** They are scored as one batch; where one of them cannot be scored, each alone. */
  async score(contents: readonly Content[], topK: number, turn: Turn): Promise<TextOutcome[]> {
    try {
      return await this.#scorer.score(contents, topK, turn);
    } catch (error) {
      this.#failIfLost(error);
      if (!(error instanceof FuseMeshError && error.code === 'invalid_argument')) throw error;
      if (contents.length === 1) return [{ refusal: error.message }];
    }
    const outcomes: TextOutcome[] = [];
    for (const content of contents) outcomes.push(...(await this.score([content], topK, turn)));
    return outcomes;
  }

  /** The model is loaded a second time for it, when the first text is asked for. */
  async *generate(request: GenerationRequest, signal: AbortSignal): AsyncGenerator<GeneratedPiece> {
    this.#generator ??= this.#loadGenerator().catch((error: unknown) => {
      this.#generator = undefined;
      throw error;
    });
    try {
      yield* (await this.#generator).generate(request, signal);
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
    const generator = await this.#generator?.catch(() => undefined);
    await generator?.close();
    await this.#scorer.close();
  }
}
