/** A text cut into tokens: n ids and the span of text that each stands for. */
export interface Tokenization {
  /** [n] token ids. */
  readonly ids: Int32Array;
  /** [n] where each token begins in the text, in UTF-16 code units. */
  readonly starts: Int32Array;
  /**
   * [n] where each token ends, exclusive, in UTF-16 code units. A special token (beginning of sequence)
   * has an empty span. Tokens that are bytes of one character all have that whole character as span.
   */
  readonly ends: Int32Array;
  /**
   * How many tokens do not spell the text at their place; their ends are no boundaries shared with another
   * tokenization.
   */
  readonly doubtful: number;
}

/** UTF-8 bytes of a text that its tokens but the first cover: those that a model predicts. */
export const predictedBytesOf = (text: string, { ends }: Pick<Tokenization, 'ends'>): number =>
  Buffer.byteLength(text.slice(ends[0]));
