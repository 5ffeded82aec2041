/** A text cut into tokens: n ids and the span of text that each stands for. */
export interface Tokenization {
  /** [n] token ids. */
  readonly ids: Int32Array;
  /** [n] where each token begins in the text, in UTF-8 bytes. */
  readonly starts: Int32Array;
  /**
   * [n] where each token ends, exclusive, in UTF-8 bytes, maybe inside of a character: after a token, exactly the
   * text before its end has been read. A token after which that is no beginning of the text (a normalizer changed
   * what stands there) ends with the next one after which it is. A special token (beginning of sequence) has an empty
   * span.
   */
  readonly ends: Int32Array;
  /**
   * How many tokens do not spell the text at their place; their ends are no boundaries shared with another
   * tokenization.
   */
  readonly doubtful: number;
}

/** UTF-8 bytes of a text that its tokens but the first cover: those that a model predicts. */
export const predictedBytesOf = ({ ends }: Pick<Tokenization, 'ends'>): number =>
  ends.length === 0 ? 0 : ends[ends.length - 1] - ends[0];
