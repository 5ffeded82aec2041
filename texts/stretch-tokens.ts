import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';

/** The tokens of a stretch of a text: what the tokenizer makes of it when it stands alone. */
export interface Stretch {
  /** UTF-16 code units from the text's beginning, exclusive at the end. */
  readonly begin: number;
  readonly end: number;
  /** In UTF-8 bytes from the text's beginning, as the tokens' ends. */
  readonly byteBegin: number;
  /** [n] */
  readonly ids: Int32Array;
  /** [n] where each token ends. */
  readonly ends: Int32Array;
  /** Tokens that do not spell the text at their place. */
  readonly doubtful: number;
}

/** Code units of two stretches that are tokenized twice to find where their tokens agree: as many, else as many. */
const overlaps = [64, 512] as const;
/** How many tokens have to agree. */
const agreeing = 8;
/**
 * Where pre-tokenizers end a piece, wherever in the text they have begun to read. In a row of digits, which some take by
 * three, tokens may agree by chance. U+FFFD stands for a part of a character.
 */
const endOfWord = /\p{L}[^\p{L}\p{M}\ufffd]/u;

/**
 * Reads the tokens of stretches of a text, and tokenizes each part of the text about once, however many stretches it is
 * in.
 *
 * What a tokenizer makes of a place depends on little around it. Where two tokenizations that overlap have a token in
 * common, the tokens of the one before it and of the other after it are those of the whole: a sequence of BPE tokens is
 * the tokenization of its text if and only if each two neighbours are that of theirs (Berglund and van der Merwe 2023,
 * "Formalizing BPE Tokenization"), and pre-tokenizers read on from the end of the piece before. So that this holds of
 * pre-tokenizers too, and of unigram models, more than one token has to agree, and a word has to end among them. Where
 * that is not found, or the tokens do not spell the text, the stretch is tokenized as a whole.
 */
export class StretchTokens {
  readonly #text: string;
  readonly #tokenizer: Pick<Tokenizer, 'encodeBatch'>;
  #known: Stretch | undefined;
  /** A place in the text and its distance from the beginning in bytes. */
  #measured = { unit: 0, byte: 0 };

  constructor(text: string, tokenizer: Pick<Tokenizer, 'encodeBatch'>) {
    this.#text = text;
    this.#tokenizer = tokenizer;
  }

  /**
   * Cheap where the stretch overlaps with those read before, as it does when stretches begin one behind the other.
   *
   * @param begin UTF-16 code units, between two characters
   * @param end exclusive, between two characters
   */
  async read(begin: number, end: number): Promise<Stretch> {
    const read = (await this.#fromKnown(begin, end)) ?? (await this.#tokenize([{ begin, end }]))[0];
    // A shorter one is the same stretch in second try: the next begins in what is left of the longer.
    if (this.#known === undefined || end > this.#known.end) this.#known = read;
    return read;
  }

  /** Undefined where it takes the whole stretch; what is known begins with it, or is nothing. */
  async #fromKnown(begin: number, end: number): Promise<Stretch | undefined> {
    const known = this.#known;
    if (known === undefined) return undefined;
    if (begin !== known.begin) this.#known = undefined;
    if (begin < known.begin) return undefined;
    for (const overlap of overlaps) {
      const at = Math.min(end, known.end);
      const head = { begin, end: this.#betweenCharacters(begin + overlap) };
      const tail = { begin: this.#betweenCharacters(at - overlap), end };
      if (head.end >= at || tail.begin <= begin) return undefined;
      const needsHead = begin !== known.begin && this.#known === undefined;
      const needsTail = end !== known.end;
      const parts = await this.#tokenize([...(needsHead ? [head] : []), ...(needsTail ? [tail] : [])]);
      if (needsHead) this.#known = this.#join(parts[0], known, head.begin);
      if (this.#known === undefined) continue;
      if (!needsTail) return this.#known;
      const whole = this.#join(this.#known, parts[parts.length - 1], tail.begin);
      if (whole !== undefined) return whole;
    }
    return undefined;
  }

  async #tokenize(places: readonly { begin: number; end: number }[]): Promise<Stretch[]> {
    if (places.length === 0) return [];
    const texts = places.map(({ begin, end }) => this.#text.slice(begin, end));
    const tokenizations = await this.#tokenizer.encodeBatch(texts);
    return places.map(({ begin, end }, i) => {
      const { ids, ends, doubtful } = tokenizations[i];
      const byteBegin = this.#bytesBefore(begin);
      return { begin, end, byteBegin, ids, ends: ends.map((byte) => byte + byteBegin), doubtful };
    });
  }

  /**
   * The tokens of one stretch up to where both agree, then those of the other.
   *
   * @param from where both have the text, in code units
   */
  #join(first: Stretch, second: Stretch, from: number): Stretch | undefined {
    if (first.doubtful + second.doubtful > 0) return undefined;
    const fromByte = this.#bytesBefore(from);
    let overlap: Buffer | undefined;
    let run = 0;
    let i = firstAfter(first.ends, fromByte);
    let j = firstAfter(second.ends, fromByte);
    while (i < first.ids.length && j < second.ids.length) {
      const difference = first.ends[i] - second.ends[j];
      run = difference === 0 && first.ids[i] === second.ids[j] ? run + 1 : 0;
      if (run >= agreeing) {
        overlap ??= Buffer.from(this.#text.slice(from, from + 2 * Math.max(...overlaps)));
        const agreed = overlap.subarray(first.ends[i - run + 1] - fromByte, first.ends[i] - fromByte);
        if (endOfWord.test(agreed.toString())) {
          return {
            begin: first.begin,
            end: second.end,
            byteBegin: first.byteBegin,
            ids: concatenate(first.ids.subarray(0, i + 1), second.ids.subarray(j + 1)),
            ends: concatenate(first.ends.subarray(0, i + 1), second.ends.subarray(j + 1)),
            doubtful: 0,
          };
        }
      }
      if (difference <= 0) i++;
      if (difference >= 0) j++;
    }
    return undefined;
  }

  #bytesBefore(unit: number): number {
    const { unit: from, byte } = this.#measured;
    const [low, high] = from < unit ? [from, unit] : [unit, from];
    const between = Buffer.byteLength(this.#text.slice(low, high));
    this.#measured = { unit, byte: from < unit ? byte + between : byte - between };
    return this.#measured.byte;
  }

  /** The place, or the one before it where it is inside of a character of two code units. */
  #betweenCharacters(unit: number): number {
    const code = this.#text.charCodeAt(unit);
    return code >= 0xdc00 && code < 0xe000 ? unit - 1 : unit;
  }
}

/** The first of some ends, which rise, that lies behind a place. */
function firstAfter(ends: Int32Array, place: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle] <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}

function concatenate(first: Int32Array, second: Int32Array): Int32Array {
  const all = new Int32Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
