/** How a kind of tokenizer is written: parts of tokenizer.json, and what llama.cpp does where a file says nothing. */
export interface TokenizerParts {
  readonly normalizer: object | null;
  readonly preTokenizer: object | null;
  readonly decoder: object;
  readonly model: object;
  /** Whether a token goes in front of every text. */
  readonly addBegin: boolean;
}
