import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { readArchitecture } from '../families/read-architecture.ts';
import { findModelFiles } from '../model-files.ts';
import type { Placement } from '../runtime/placement.ts';
import { Turns } from '../runtime/turns.ts';
import { type Remote, startWorker } from '../runtime/worker.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import { endOfTextIds } from './end-of-text.ts';
import type { GeneratedPiece, GenerationRequest } from './generation-request.ts';
import type { GenerationMethods } from './generation-worker.ts';
import { createTextStream } from './text-stream.ts';

export type {
  GeneratedPiece,
  GeneratedToken,
  GenerationRequest,
  TokenProbability,
} from './generation-request.ts';

/** How a {@link Generator} is loaded. */
export interface GeneratorOptions {
  /** Of one matrix product. */
  readonly threads: number;
  /** Left out, the processor computes. */
  readonly placement?: Placement;
  /** The training step of the weights; left out, 0. */
  readonly version?: number | undefined;
  /** Most texts that are continued at a time; left out, 16. More wait, the first come first. */
  readonly slots?: number | undefined;
  /** Most memory of the keys and values of all texts; left out, a gibibyte, or what one text as long as the context takes. */
  readonly cacheBytes?: number | undefined;
}

/** A language model that continues a text token by token, in a worker thread of its own. */
export class Generator {
  /** Operators that the processor computes although the model is on a device, by their names in ONNX. */
  readonly onProcessor: ReadonlySet<string>;
  /** Training step of the weights that new requests take. */
  readonly version: number = 0;
  readonly #name: string;
  readonly #tokenizer: Tokenizer;
  readonly #contextLength: number;
  readonly #endOfText: ReadonlySet<number>;
  readonly #turns = new Turns();
  readonly #worker: { readonly remote: Remote<GenerationMethods>; stop(): Promise<void> };
  #sequences = 0;

  private constructor(
    name: string,
    tokenizer: Tokenizer,
    contextLength: number,
    endOfText: ReadonlySet<number>,
    onProcessor: ReadonlySet<string>,
    worker: { readonly remote: Remote<GenerationMethods>; stop(): Promise<void> },
  ) {
    this.onProcessor = onProcessor;
    this.#name = name;
    this.#tokenizer = tokenizer;
    this.#contextLength = contextLength;
    this.#endOfText = endOfText;
    this.#worker = worker;
  }

  /**
   * @param directory Hugging Face directory: config.json, tokenizer.json, model.safetensors
   * @throws FuseMeshError not_found when a file is missing, invalid_argument when one does not fit, unimplemented
   * for an exported ONNX model, failed_precondition where there is no such GPU
   */
  static async load(directory: string, { threads, placement }: GeneratorOptions): Promise<Generator> {
    const { exported } = await findModelFiles(directory);
    if (exported !== undefined) {
      throw new FuseMeshError(
        'unimplemented',
        `${exported} is an exported ONNX model, which scores texts but does not generate: give a directory with model.safetensors`,
      );
    }
    const { contextLength, vocabularySize } = await readArchitecture(directory);
    const tokenizer = await Tokenizer.fromFile(join(directory, 'tokenizer.json'));
    tokenizer.expectModelOf(vocabularySize, directory);
    const endOfText = await endOfTextIds(directory);
    const worker = startWorker<GenerationMethods>(new URL('./generation-worker.ts', import.meta.url));
    try {
      const onProcessor = await worker.remote.load(directory, threads, placement);
      return new Generator(directory, tokenizer, contextLength, endOfText, onProcessor, worker);
    } catch (error) {
      await worker.stop();
      throw error;
    }
  }

  /**
   * Continues a prompt. Several can run at a time; they take turns token by token.
   *
   * @throws FuseMeshError invalid_argument for a prompt that has no tokens or fills the context, or for
   * numbers out of range; cancelled when the signal is aborted
   */
  async *generate(request: GenerationRequest, signal?: AbortSignal): AsyncGenerator<GeneratedPiece> {
    check(request);
    const { maxTokens, temperature, topP, seed } = request;
    const encoded = request.rendered
      ? this.#tokenizer.encodeRendered([request.prompt])
      : this.#tokenizer.encodeBatch([request.prompt]);
    const [{ ids: prompt }] = await encoded;
    if (prompt.length === 0)
      throw new FuseMeshError('invalid_argument', 'The prompt is empty; give the text to go on with');
    if (prompt.length >= this.#contextLength) {
      throw new FuseMeshError(
        'invalid_argument',
        `The prompt has ${prompt.length} tokens, the context of ${this.#name} ${this.#contextLength}: shorten the prompt`,
      );
    }
    const { remote } = this.#worker;
    const sequence = this.#sequences++;
    const stream = createTextStream(request.stop);
    const ids = [...prompt];
    const promptText = await this.#tokenizer.decode(ids);
    const turn = { lane: String(sequence), signal };
    try {
      let token = await this.#turns.take(
        () => remote.begin(sequence, prompt, { temperature, topP, seed }),
        turn,
      );
      for (let tokens = 1; ; tokens++) {
        const bytes = Buffer.from(this.#tokenizer.tokenBytes(token) ?? '', 'latin1');
        const piece = {
          token: { id: token, bytes },
          tokens,
          promptTokens: prompt.length,
          version: this.version,
        };
        if (this.#endOfText.has(token) || token === request.endOfTurn) {
          yield { ...piece, text: stream.end(), finishReason: 'stop', stopReason: token };
          return;
        }
        ids.push(token);
        // Decoded together with the prompt: alone, some tokenizers would drop its first space.
        const generated = (await this.#tokenizer.decode(ids)).slice(promptText.length);
        const { text, stopped } = stream.advance(generated);
        const full = tokens === maxTokens || ids.length === this.#contextLength;
        if (stopped) yield { ...piece, text, finishReason: 'stop' };
        else if (full) yield { ...piece, text: text + stream.end(), finishReason: 'length' };
        else yield { ...piece, text };
        if (stopped || full) return;
        token = await this.#turns.take(() => remote.next(sequence, token), turn);
      }
    } finally {
      await remote.end(sequence);
    }
  }

  /**
   * Loads other weights of the same model in the same thread while texts go on: requests that begin afterwards take them,
   * those in flight end on the weights they began with, which are freed with the last of them.
   *
   * @param directory as that of {@link load}; its files must not change while its weights are in use
   * @param version training step of the weights
   * @throws FuseMeshError as {@link load}, and invalid_argument where it is another model; the old weights stay in use
   */
  replace(_directory: string, _version: number): Promise<void> {
    throw new FuseMeshError('unimplemented', 'to come');
  }

  close(): Promise<void> {
    return this.#worker.stop();
  }
}

function check({ maxTokens, temperature, topP, seed, stop }: GenerationRequest): void {
  const refuse = (problem: string) => {
    throw new FuseMeshError('invalid_argument', problem);
  };
  if (!Number.isInteger(maxTokens) || maxTokens < 1) refuse(`max_tokens is ${maxTokens}; use 1 or more`);
  if (!(temperature >= 0 && Number.isFinite(temperature)))
    refuse(`temperature is ${temperature}; use 0 (greedy) or more`);
  if (!(topP > 0 && topP <= 1)) refuse(`top_p is ${topP}; use more than 0, up to 1`);
  if (!Number.isInteger(seed) || seed < 0) refuse(`seed is ${seed}; use a whole number from 0`);
  if (stop.includes('')) refuse('stop has an empty string, which would end every text');
}
