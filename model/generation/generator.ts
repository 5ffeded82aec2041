import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Architecture } from '../families/architecture.ts';
import { readArchitecture } from '../families/read-architecture.ts';
import { findModelFiles } from '../model-files.ts';
import type { Placement } from '../runtime/placement.ts';
import { startWorker } from '../runtime/worker.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import { bytesOfCaches, sharesCache } from './cache-sizes.ts';
import { ContinuousBatch } from './continuous-batch.ts';
import { endOfTextIds } from './end-of-text.ts';
import { checkRequest, type GeneratedPiece, type GenerationRequest } from './generation-request.ts';
import type { GenerationMethods } from './generation-worker.ts';
import { GrowingText } from './growing-text.ts';
import type { LogProbabilities } from './log-probabilities.ts';
import { PieceQueue } from './piece-queue.ts';
import { createTextStream } from './text-stream.ts';

export type {
  GeneratedPiece,
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

/** A language model that continues texts together, token by token, in a worker thread of its own. */
export class Generator {
  /** Operators that the processor computes although the model is on a device, by their names in ONNX. */
  readonly onProcessor: ReadonlySet<string>;
  /** Resolves when the worker thread ends by itself: nothing is generated any more. */
  readonly failed: Promise<FuseMeshError>;
  readonly #directory: string;
  readonly #architecture: Architecture;
  readonly #tokenizer: Tokenizer;
  readonly #endOfText: ReadonlySet<number>;
  readonly #batch: ContinuousBatch;

  private constructor(
    directory: string,
    { architecture, tokenizer, endOfText }: ModelParts,
    batch: ContinuousBatch,
    failed: Promise<FuseMeshError>,
    onProcessor: ReadonlySet<string>,
  ) {
    this.onProcessor = onProcessor;
    this.failed = failed;
    this.#directory = directory;
    this.#architecture = architecture;
    this.#tokenizer = tokenizer;
    this.#endOfText = endOfText;
    this.#batch = batch;
  }

  /**
   * @param directory Hugging Face directory: config.json, tokenizer.json, model.safetensors
   * @throws FuseMeshError not_found when a file is missing, invalid_argument when one does not fit, unimplemented
   * for an exported ONNX model, failed_precondition where there is no such GPU
   */
  static async load(directory: string, options: GeneratorOptions): Promise<Generator> {
    await refuseExported(directory);
    const architecture = await readArchitecture(directory);
    const tokenizer = await Tokenizer.fromFile(join(directory, 'tokenizer.json'));
    tokenizer.expectModelOf(architecture.vocabularySize, directory);
    const parts = { architecture, tokenizer, endOfText: await endOfTextIds(directory) };
    const { threads, placement, version = 0, slots = 16 } = options;
    const shared = sharesCache(architecture, placement?.provider);
    const bytesOf = (most: readonly number[]) => bytesOfCaches(architecture, shared, most);
    const cacheBytes = options.cacheBytes ?? Math.max(2 ** 30, bytesOf([architecture.contextLength]));
    const worker = startWorker<GenerationMethods>(new URL('./generation-worker.ts', import.meta.url));
    const batch = new ContinuousBatch(worker, { threads, placement }, { slots, cacheBytes, bytesOf });
    try {
      const onProcessor = await batch.load(directory, version);
      return new Generator(directory, parts, batch, worker.failed, onProcessor);
    } catch (error) {
      await worker.stop();
      throw error;
    }
  }

  /** Training step of the weights that new requests take. */
  get version(): number {
    return this.#batch.version;
  }

  /**
   * Loads other weights of the same model in the same thread, while texts go on: those that begin afterwards take them,
   * those in hand end on the weights they began with, which are freed with the last of them. No more than two versions
   * are in memory: a third is loaded when the first has been freed.
   *
   * @param directory as that of {@link load}; its files must not change while its weights are in use
   * @param version training step of the weights
   * @throws FuseMeshError as {@link load}, and invalid_argument where it is another model; the old weights stay in use
   */
  async replace(directory: string, version: number): Promise<void> {
    await refuseExported(directory);
    await this.#refuseOther(directory);
    await this.#batch.load(directory, version);
  }

  /**
   * Continues a prompt. A request waits, behind those that came before, until there are a slot and memory for its prompt
   * and all the tokens it asks for.
   *
   * @throws FuseMeshError invalid_argument for a prompt that has no tokens or fills the context, for numbers out of range,
   * or for more tokens than there is memory for; data_loss where the weights give no numbers; cancelled when the signal
   * is aborted
   */
  async *generate(request: GenerationRequest, signal?: AbortSignal): AsyncGenerator<GeneratedPiece> {
    checkRequest(request);
    const prompt = await this.#encode(request);
    const leaving = new AbortController();
    const leave = () => leaving.abort();
    signal?.addEventListener('abort', leave);
    if (signal?.aborted) leave();
    try {
      const pieces = new PieceQueue<GeneratedPiece>();
      yield* pieces.until(this.#continue(prompt, request, (piece) => pieces.put(piece), leaving.signal));
    } finally {
      signal?.removeEventListener('abort', leave);
      leave();
    }
  }

  async #encode({ prompt, rendered }: GenerationRequest): Promise<Int32Array> {
    const encoded = rendered
      ? this.#tokenizer.encodeRendered([prompt])
      : this.#tokenizer.encodeBatch([prompt]);
    const [{ ids }] = await encoded;
    const { contextLength } = this.#architecture;
    if (ids.length === 0)
      throw new FuseMeshError('invalid_argument', 'The prompt is empty; give the text to go on with');
    if (ids.length >= contextLength) {
      throw new FuseMeshError(
        'invalid_argument',
        `The prompt has ${ids.length} tokens, the context of ${this.#directory} ${contextLength}: shorten the prompt`,
      );
    }
    return ids;
  }

  async #continue(
    prompt: Int32Array,
    request: GenerationRequest,
    give: (piece: GeneratedPiece) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { temperature, topP, seed, logProbabilities, endOfTurn } = request;
    const most = Math.min(prompt.length + request.maxTokens, this.#architecture.contextLength);
    const ends = (token: number) => this.#endOfText.has(token) || token === endOfTurn;
    const text = await GrowingText.after(prompt, this.#tokenizer);
    const stream = createTextStream(request.stop);
    let tokens = 0;
    await this.#batch.run(
      {
        prompt,
        sampling: { temperature, topP, seed },
        logProbabilities,
        most,
        maxTokens: most - prompt.length,
        ends,
        hear: async ({ token, logProbabilities: probabilities }, version) => {
          tokens++;
          const piece = {
            token: {
              id: token,
              bytes: this.#bytesOf(token),
              ...(probabilities && this.#named(probabilities)),
            },
            tokens,
            promptTokens: prompt.length,
            version,
          };
          if (ends(token)) {
            give({ ...piece, text: stream.end(), finishReason: 'stop', stopReason: token });
            return false;
          }
          const { text: certain, stopped } = stream.advance(await text.add(token));
          const isFull = prompt.length + tokens === most;
          if (stopped !== undefined)
            give({ ...piece, text: certain, finishReason: 'stop', stopReason: stopped });
          else if (isFull) give({ ...piece, text: certain + stream.end(), finishReason: 'length' });
          else give({ ...piece, text: certain });
          return stopped === undefined && !isFull;
        },
      },
      signal,
    );
  }

  #bytesOf(token: number): Uint8Array {
    return Buffer.from(this.#tokenizer.tokenBytes(token) ?? '', 'latin1');
  }

  #named({ chosen, ids, values }: LogProbabilities) {
    const alternatives = Array.from(ids, (id, i) => ({
      id,
      bytes: this.#bytesOf(id),
      logProbability: values[i],
    }));
    return { logProbability: chosen, alternatives };
  }

  /** Its tokens must mean the same, and its cache take as much. */
  async #refuseOther(directory: string): Promise<void> {
    const { contextLength, vocabularySize, keyValueSizes } = await readArchitecture(directory);
    const mine = this.#architecture;
    const sizes = JSON.stringify({ contextLength, vocabularySize, keyValueSizes });
    const isSame =
      sizes ===
      JSON.stringify({
        contextLength: mine.contextLength,
        vocabularySize: mine.vocabularySize,
        keyValueSizes: mine.keyValueSizes,
      });
    const path = join(directory, 'tokenizer.json');
    const hasTokenizer = await access(path).then(
      () => true,
      () => false,
    );
    const fingerprint = hasTokenizer ? (await Tokenizer.fromFile(path)).fingerprint : undefined;
    if (isSame && (!fingerprint || Buffer.compare(fingerprint, this.#tokenizer.fingerprint) === 0)) return;
    throw new FuseMeshError(
      'invalid_argument',
      `${directory} has another ${isSame ? 'tokenizer' : 'model'} than ${this.#directory}, whose weights it is to replace: load it by itself`,
    );
  }

  close(): Promise<void> {
    return this.#batch.close();
  }
}

interface ModelParts {
  readonly architecture: Architecture;
  readonly tokenizer: Tokenizer;
  readonly endOfText: ReadonlySet<number>;
}

async function refuseExported(directory: string): Promise<void> {
  const { exported } = await findModelFiles(directory);
  if (exported === undefined) return;
  throw new FuseMeshError(
    'unimplemented',
    `${exported} is an exported ONNX model, which scores texts but does not generate: give a directory with model.safetensors`,
  );
}
