import type { Value } from '../graph/graph.ts';
import type { Architecture, BlockInput, TokenInput } from './architecture.ts';

/**
 * The forward pass up to the last norm.
 *
 * @returns [batch · length, hidden size]: row b·length + t is of token t
 */
export function hiddenStates(architecture: Architecture, input: TokenInput & BlockInput): Value {
  const block = architecture.blocks(input);
  let hidden = architecture.embeddings(input);
  for (let i = 0; i < architecture.keyValueSizes.layers; i++) hidden = block(i, hidden);
  return architecture.finalNorm(hidden, input);
}
