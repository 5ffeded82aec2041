import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Encoding, Tokenizer as HuggingFaceTokenizer } from 'tokenizers';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { insteadOfModel } from '../instead-of-a-model.ts';
import { toBytes } from './code-units.ts';
import { settleDoubtfulSpans } from './doubtful-spans.ts';
import { withPrefixSpace } from './prefix-space.ts';
import { type SpaceSpelling, type Spans, spansFromBytes } from './spans-from-bytes.ts';
import { spansFromOffsets } from './spans-from-offsets.ts';
import { PieceNormalizer, spansThroughNormalizer } from './spans-through-normalizer.ts';
import { createTokenTable, type TokenTable } from './token-table.ts';
import type { Tokenization } from './tokenization.ts';
import { parseTokenizerJson, prependsAlways, spaceMarkOf, usesMetaspace } from './tokenizer-json.ts';

/**
 * A tokenizer.json of Hugging Face, run by the official Rust library. Texts are never cut or padded, even if
 * the file asks for it.
 */
export class Tokenizer {
  /** The file as it was given, but for a prefix space that tokenizer_config.json asks for or forbids. */
  readonly json: Uint8Array;
  /** SHA-256 of these bytes, 32 bytes: tells whether two processes speak of the same tokens. */
  readonly fingerprint: Uint8Array;
  /** Largest token id + 1. */
  readonly vocabularySize: number;
  /** How its vocabulary spells a space: 'Ġ' (byte-level), '▁' (SentencePiece), or '' where it spells none. */
  readonly spaceMark: 'Ġ' | '▁' | '';

  readonly #tokenizer: HuggingFaceTokenizer;
  readonly #table: TokenTable;
  readonly #spaces: SpaceSpelling;
  readonly #normalizer: PieceNormalizer | undefined;
  #prefix: Promise<number[]> | undefined;
  /** Whose tokens these are, where the model does not know all of them. */
  #model: { readonly vocabularySize: number; readonly directory: string } | undefined;

  private constructor(json: Uint8Array, name: string) {
    this.json = json;
    this.fingerprint = new Uint8Array(createHash('sha256').update(json).digest());
    try {
      const parsed = parseTokenizerJson(Buffer.from(json).toString());
      this.#tokenizer = HuggingFaceTokenizer.fromString(JSON.stringify(parsed));
      this.#table = createTokenTable(this.#tokenizer.getVocab(true), parsed);
      this.spaceMark = spaceMarkOf(parsed);
      this.#spaces = { metaspace: usesMetaspace(parsed), prependsAlways: prependsAlways(parsed) };
      const normalizer = this.#tokenizer.getNormalizer();
      this.#normalizer = normalizer
        ? new PieceNormalizer((text) => normalizer.normalizeString(text))
        : undefined;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new FuseMeshError(
        'invalid_argument',
        `${name} is not a tokenizer of Hugging Face's tokenizers library: ${oneLine(reason)}`,
        { cause },
      );
    }
    this.vocabularySize = this.#table.size;
  }

  /** @throws FuseMeshError not_found when there is no such file, invalid_argument when it is no tokenizer */
  static async fromFile(path: string): Promise<Tokenizer> {
    let json: Uint8Array<ArrayBuffer>;
    try {
      json = await readFile(path);
    } catch (cause) {
      const missing = ['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '');
      const instead = await insteadOfModel(dirname(path));
      throw new FuseMeshError(
        missing ? 'not_found' : 'failed_precondition',
        missing
          ? `No tokenizer at ${path}. ${instead ?? 'A model directory needs a tokenizer.json.'}`
          : `Cannot read the tokenizer ${path}: ${oneLine((cause as Error).message)}`,
        { cause },
      );
    }
    return new Tokenizer(await withPrefixSpace(json, path), path);
  }

  /**
   * @param name what to call it in an error message
   * @throws FuseMeshError invalid_argument when it is no tokenizer
   */
  static fromJson(json: string | Uint8Array, name = 'tokenizer.json'): Tokenizer {
    return new Tokenizer(typeof json === 'string' ? Buffer.from(json) : json, name);
  }

  /**
   * Says whose tokens these are. Added tokens beyond the model's vocabulary are in order, as in transformers, as long as
   * no text has one: {@link encodeBatch} refuses such a text.
   *
   * @param directory where both stand
   * @throws FuseMeshError invalid_argument where the model has fewer tokens even without those that were added
   */
  expectModelOf(vocabularySize: number, directory: string): void {
    if (this.vocabularySize <= vocabularySize) return;
    const own = Object.values(this.#tokenizer.getVocab(false));
    if (own.some((id) => id >= vocabularySize)) {
      throw new FuseMeshError(
        'invalid_argument',
        `The tokenizer in ${directory} has ${this.vocabularySize} tokens, the model ${vocabularySize}: they do not belong together`,
      );
    }
    this.#model = { vocabularySize, directory };
  }

  /** Ids from here on have no logits in the model ({@link expectModelOf}), or stand for nothing. */
  get knownToModel(): number {
    return Math.min(this.vocabularySize, this.#model?.vocabularySize ?? this.vocabularySize);
  }

  /**
   * Tokenizes a text. Special tokens that the tokenizer puts in front (beginning of sequence) are kept, those
   * that it puts behind (end of sequence) are dropped. The spans tile the text.
   */
  async encode(text: string): Promise<Tokenization> {
    return (await this.encodeBatch([text]))[0];
  }

  /**
   * {@link encode} for many texts at once, on all cores.
   *
   * @throws FuseMeshError invalid_argument where a text has a token that its model ({@link expectModelOf}) does not know
   */
  async encodeBatch(texts: readonly string[]): Promise<Tokenization[]> {
    const prefix = await this.#prefixIds();
    const encodings = await this.#tokenizer.encodeBatch([...texts], { addSpecialTokens: false });
    return encodings.map((encoding, i) => this.#tokenization(texts[i], encoding, prefix));
  }

  /**
   * Tokenizes what a chat template has rendered: special tokens are read where it spells them, and none is put in front.
   * The spans tile the rendering, and a special token's is where it is spelt.
   */
  async encodeRendered(renderings: readonly string[]): Promise<Tokenization[]> {
    const encodings = await this.#tokenizer.encodeBatch([...renderings], { addSpecialTokens: false });
    return encodings.map((encoding, i) => this.#tokenization(renderings[i], encoding, []));
  }

  /**
   * The first token of each text when it is tokenized in the middle of another, where no space is added in
   * front.
   *
   * @returns [texts] ids; −1 where the text alone has tokens that do not spell it
   */
  async firstTokens(texts: readonly string[]): Promise<Int32Array> {
    // A tokenizer that adds a space in front turns one space into two.
    const [alone] = await this.#firstIds(['a']);
    const addsSpace = alone !== undefined && this.tokenBytes(alone)?.startsWith(' ') === true;
    const cut = texts.map((text) => (addsSpace && text.startsWith(' ') ? text.slice(1) : text));
    const first = await this.#firstIds(cut);
    return Int32Array.from(texts, (text, i) => {
      const own = first[i] === undefined ? undefined : this.tokenBytes(first[i]);
      return own !== undefined && Buffer.from(text).toString('latin1').startsWith(own) ? first[i]! : -1;
    });
  }

  async #firstIds(texts: readonly string[]): Promise<(number | undefined)[]> {
    const encodings = await this.#tokenizer.encodeBatch([...texts], { addSpecialTokens: false });
    return encodings.map((encoding) => encoding.getIds()[0]);
  }

  /** What its normalizer makes of a text before it is cut. */
  normalize(text: string): string {
    return this.#normalizer?.whole(text) ?? text;
  }

  /** The text that tokens stand for; special tokens stand for nothing. */
  decode(ids: ArrayLike<number>): Promise<string> {
    return this.#tokenizer.decode(Array.from(ids), true);
  }

  /**
   * The bytes that a token stands for, one character (U+0000 to U+00FF) a byte.
   * Undefined for special tokens and ids without a token.
   */
  tokenBytes(id: number): string | undefined {
    const { bytes, offsets, special } = this.#table;
    if (id < 0 || id >= this.vocabularySize) return undefined;
    if (special[id] === 1 || offsets[id] === offsets[id + 1]) return undefined;
    return Buffer.from(bytes.buffer, offsets[id], offsets[id + 1] - offsets[id]).toString('latin1');
  }

  /**
   * A token as the vocabulary spells it (' the' as 'Ġthe' or '▁the'), special tokens included: what
   * convert_ids_to_tokens of transformers gives. Undefined for ids without a token.
   */
  tokenString(id: number): string | undefined {
    if (id < 0 || id >= this.vocabularySize) return undefined;
    return this.#tokenizer.idToToken(id) ?? undefined;
  }

  /**
   * A token for people to read: its text, or the name of a special token. Bytes of a character that other
   * tokens complete show as U+FFFD.
   */
  tokenText(id: number): string {
    const bytes = this.tokenBytes(id);
    if (bytes === undefined) return this.tokenString(id) ?? `#${id}`;
    return Buffer.from(bytes, 'latin1').toString('utf8');
  }

  /** Whether a token stands for one byte of a character that has no token of its own (byte fallback). */
  isByteFallback(id: number): boolean {
    return this.#table.byteFallback[id] === 1;
  }

  #tokenization(text: string, encoding: Encoding, prefix: readonly number[]): Tokenization {
    const textIds = Int32Array.from(encoding.getIds());
    this.#refuseUnknown(textIds, prefix);
    const spans =
      spansFromBytes(text, textIds, this.#table, this.#spaces) ??
      this.#spansOfNormalized(text, textIds) ??
      this.#spansInDoubt(text, textIds, encoding);
    if (prefix.length === 0) return { ids: textIds, doubtful: 0, ...spans };

    const n = prefix.length + textIds.length;
    const ids = new Int32Array(n);
    const starts = new Int32Array(n);
    const ends = new Int32Array(n);
    ids.set(prefix);
    ids.set(textIds, prefix.length);
    starts.set(spans.starts, prefix.length);
    ends.set(spans.ends, prefix.length);
    return { doubtful: 0, ...spans, ids, starts, ends };
  }

  #refuseUnknown(...tokens: readonly ArrayLike<number>[]): void {
    if (this.#model === undefined) return;
    const { vocabularySize, directory } = this.#model;
    for (const ids of tokens) {
      const id = Array.prototype.find.call(ids, (one: number) => one >= vocabularySize);
      if (id === undefined) continue;
      throw new FuseMeshError(
        'invalid_argument',
        `The text has the token ${JSON.stringify(this.tokenString(id))} (${id}) of the tokenizer in ${directory}, whose model has ${vocabularySize} tokens: take it out of the text, or give the model it (resize_token_embeddings)`,
      );
    }
  }

  /** The tokens' spans where they spell what the normalizer made of the text. */
  #spansOfNormalized(text: string, ids: Int32Array): Spans | undefined {
    if (this.#normalizer === undefined) return undefined;
    const whole = this.#normalizer.whole(text);
    // The space that it puts in front stands in no token's span.
    const form = this.#spaces.prependsAlways && whole.startsWith('▁') ? whole.slice(1) : whole;
    const spans = spansFromBytes(form, ids, this.#table, this.#spaces);
    return spans && spansThroughNormalizer(text, form, this.#normalizer, spans);
  }

  #spansInDoubt(text: string, ids: Int32Array, encoding: Encoding): Spans & { doubtful: number } {
    const bytes = (i: number) => this.tokenBytes(ids[i]);
    const spans = spansFromOffsets(text, encoding.getOffsets(), (i) => bytes(i) === ' ');
    const doubtful = settleDoubtfulSpans(text, spans, bytes);
    return { ...toBytes(text, spans), doubtful };
  }

  /** The special tokens that the post-processor puts before any text, learnt from how it treats one. */
  #prefixIds(): Promise<number[]> {
    this.#prefix ??= this.#tokenizer.encode('a', null, { addSpecialTokens: true }).then((encoding) => {
      const mask = encoding.getSpecialTokensMask();
      const textBegins = mask.indexOf(0);
      return encoding.getIds().slice(0, textBegins === -1 ? 0 : textBegins);
    });
    return this.#prefix;
  }
}

function oneLine(message: string): string {
  return message.replaceAll(/\s+/g, ' ').trim();
}
