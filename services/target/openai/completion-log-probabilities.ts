import type { GeneratedPiece } from '../../../model/generation/generator.ts';
import type { Tokenizer } from '../../../model/tokenizer/tokenizer.ts';
import { tokenText } from './token-text.ts';

/** Log-probabilities as the completions endpoint answers them. */
export interface CompletionLogProbabilities {
  readonly tokens: string[];
  readonly token_logprobs: number[];
  /** The most probable tokens at each place, and the chosen one. */
  readonly top_logprobs: Record<string, number>[] | null;
  /** Where each token begins in the answer, in characters. */
  readonly text_offset: number[];
}

/** Collects the tokens of one answer. */
export class CompletionTokens {
  readonly #tokenizer: Tokenizer;
  readonly #withAlternatives: boolean;
  #characters = 0;

  /** @param count alternatives asked for */
  constructor(tokenizer: Tokenizer, count: number) {
    this.#tokenizer = tokenizer;
    this.#withAlternatives = count > 0;
  }

  /** What the piece adds; nothing for the token that ends the text. */
  add({ token, stopReason }: GeneratedPiece): CompletionLogProbabilities {
    const { logProbability, alternatives = [] } = token;
    if (token.id === stopReason || logProbability === undefined) {
      return {
        tokens: [],
        token_logprobs: [],
        top_logprobs: this.#withAlternatives ? [] : null,
        text_offset: [],
      };
    }
    const offset = this.#characters;
    // A character counts with the token that begins it.
    for (const byte of token.bytes) if ((byte & 0xc0) !== 0x80) this.#characters++;
    const text = tokenText(token, this.#tokenizer);
    const top = Object.fromEntries(
      [...alternatives, { ...token, logProbability }].map((one) => [
        tokenText(one, this.#tokenizer),
        one.logProbability,
      ]),
    );
    return {
      tokens: [text],
      token_logprobs: [logProbability],
      top_logprobs: this.#withAlternatives ? [top] : null,
      text_offset: [offset],
    };
  }
}

/** The log-probabilities of a whole answer. */
export function joined(parts: readonly CompletionLogProbabilities[]): CompletionLogProbabilities {
  return {
    tokens: parts.flatMap(({ tokens }) => tokens),
    token_logprobs: parts.flatMap(({ token_logprobs }) => token_logprobs),
    top_logprobs: parts.some(({ top_logprobs }) => top_logprobs === null)
      ? null
      : parts.flatMap(({ top_logprobs }) => top_logprobs ?? []),
    text_offset: parts.flatMap(({ text_offset }) => text_offset),
  };
}
