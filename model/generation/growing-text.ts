/** The text that tokens stand for, as a tokenizer decodes them. */
export interface Decoder {
  decode(ids: ArrayLike<number>): Promise<string>;
}

/** Stands for bytes that do not make a whole character yet. */
const replacement = '\uFFFD';

/** Tokens of the prompt that are decoded first, to see how the text begins. */
const fewest = 4;

/**
 * What tokens that come one by one add to a text. They are decoded together with some that stand before: alone, some
 * tokenizers would drop their first space, or take bytes that make a character together for broken ones. So a token costs
 * the same however long the text is.
 */
export class GrowingText {
  readonly #decoder: Decoder;
  /** Tokens from the last place on where the text was whole. */
  #window: number[];
  /** Of these, those whose text is in {@link #before}. */
  #settled: number;
  #before: string;
  #text = '';

  private constructor(decoder: Decoder, window: number[], before: string) {
    this.#decoder = decoder;
    this.#window = window;
    this.#settled = window.length;
    this.#before = before;
  }

  static async after(prompt: ArrayLike<number>, decoder: Decoder): Promise<GrowingText> {
    for (let count = fewest; ; count *= 2) {
      const window = Array.from(prompt).slice(-count);
      const text = await decoder.decode(window);
      if (isWhole(text) || count >= prompt.length) return new GrowingText(decoder, window, text);
    }
  }

  /** @returns all text after the prompt; U+FFFD at its end may become a character with the next token */
  async add(id: number): Promise<string> {
    this.#window.push(id);
    const decoded = await this.#decoder.decode(this.#window);
    const added = decoded.slice(this.#before.length);
    if (!isWhole(added)) return this.#text + added;
    this.#text += added;
    this.#window = this.#window.slice(this.#settled);
    this.#settled = this.#window.length;
    this.#before = await this.#decoder.decode(this.#window);
    return this.#text;
  }
}

/** Whether the next tokens can be decoded behind a text. */
const isWhole = (text: string): boolean => text !== '' && !text.endsWith(replacement);
