import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';

interface TemplatePiece {
  readonly SpecialToken?: { readonly id: string };
  readonly Sequence?: object;
}
interface PostProcessor {
  readonly type: string;
  readonly single?: readonly TemplatePiece[];
  readonly special_tokens?: Readonly<Record<string, { readonly ids: readonly number[] }>>;
}

/** What a server does with text. */
export interface ServerTokenizer {
  encode(text: string, options: { readonly addSpecialTokens: boolean }): Promise<number[]>;
  /** A token as a server writes it into an answer; bytes of a character that others complete are U+FFFD. */
  text(id: number): string;
}

/**
 * Tokenizes as the tokenizers of transformers do that servers use: special tokens of the template stand in front and
 * behind, where they are wanted. Ours keeps those in front only.
 */
export class ServedTokenizer implements ServerTokenizer {
  readonly #tokenizer: Tokenizer;
  readonly #before: readonly number[];
  readonly #behind: readonly number[];

  private constructor(tokenizer: Tokenizer, before: readonly number[], behind: readonly number[]) {
    this.#tokenizer = tokenizer;
    this.#before = before;
    this.#behind = behind;
  }

  static async read(directory: string): Promise<ServedTokenizer> {
    const path = join(directory, 'tokenizer.json');
    const { post_processor: template } = JSON.parse(await readFile(path, 'utf8')) as {
      post_processor: PostProcessor | null;
    };
    const { single = [], special_tokens: special = {} } = template ?? {};
    const text = single.findIndex(({ Sequence }) => Sequence !== undefined);
    const idsOf = (pieces: readonly TemplatePiece[]) =>
      pieces.flatMap(({ SpecialToken }) => (SpecialToken ? special[SpecialToken.id].ids : []));
    return new ServedTokenizer(
      await Tokenizer.fromFile(path),
      idsOf(single.slice(0, Math.max(0, text))),
      idsOf(single.slice(text + 1)),
    );
  }

  async encode(
    text: string,
    { addSpecialTokens }: { readonly addSpecialTokens: boolean },
  ): Promise<number[]> {
    const { ids } = await this.#tokenizer.encode(text);
    return addSpecialTokens ? [...ids, ...this.#behind] : [...ids.subarray(this.#before.length)];
  }

  text(id: number): string {
    return this.#tokenizer.tokenText(id);
  }
}
