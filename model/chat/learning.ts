import type { Tokenization } from '../tokenizer/tokenization.ts';
import { turnPlaces } from './content-layout.ts';
import type { Content } from './conversation.ts';

/**
 * Which tokens of a conversation are learnt: those that spell what is said in a turn that is learnt, the token that ends
 * such a turn, and what the template writes between the prompt for an answer and that token (tool calls, the frame of
 * thoughts). Those are the tokens that a model has to produce by itself. What stands behind the token that ends a turn
 * is never learnt; behind an unfinished turn, neither is that token nor what the template writes before it.
 *
 * @param spans [n] of the content's tokens, in its coordinates
 * @returns [n] 1 where the token, as a label, is learnt; undefined for a text, of which all is learnt
 */
export function learnt(
  content: Content,
  { starts, ends }: Pick<Tokenization, 'starts' | 'ends'>,
): Uint8Array | undefined {
  if (typeof content === 'string') return undefined;
  const places = turnPlaces(content);
  const mask = new Uint8Array(ends.length);
  let turn = 0;
  for (let i = 0; i < ends.length; i++) {
    while (turn < places.length && ends[i] > places[turn].end + 1) turn++;
    if (turn === places.length) break;
    const { learnt: isLearnt, unfinished } = content.turns[turn];
    const { begin, end } = places[turn];
    if (isLearnt && starts[i] >= begin && (!unfinished || starts[i] < end)) mask[i] = 1;
  }
  return mask;
}
