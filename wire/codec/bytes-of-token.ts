/** Span, mass, the token's own id and log-probability, and what a row says of its codes. */
const bytesBeside = 9;
/** Bits of a candidate beside those that the distance to the next id takes: of its level and of Rice's codes. */
const bitsOfCandidate = 6.2;

/**
 * Bytes that a token's distribution takes in a message, with all k candidates, whose ids lie V / k apart: what a model
 * says is within a tenth of it. With topP 0.98 it is 65 to 87 % of this with k = 50 (docs/recordings.md).
 *
 * @param vocabularySize V
 */
export const bytesOfToken = (topK: number, vocabularySize: number): number =>
  bytesBeside + (topK * (Math.log2(vocabularySize / Math.min(topK, vocabularySize)) + bitsOfCandidate)) / 8;
