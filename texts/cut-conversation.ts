import type { ContentEncoder } from '../model/chat/content-encoder.ts';
import { contentEnd, turnPlaces } from '../model/chat/content-layout.ts';
import type { Content, Conversation, Turn } from '../model/chat/conversation.ts';
import { learnt } from '../model/chat/learning.ts';
import type { Tokenization } from '../model/tokenizer/tokenization.ts';
import type { CutProblem } from './row.ts';

/** A piece of a text, or of a conversation. */
export interface ContentPiece {
  readonly content: Content;
  /** UTF-8, of what is said. */
  readonly bytes: number;
  /** [encoders] its length in tokens. */
  readonly tokens: readonly number[];
  /** [encoders] how many of them are learnt. */
  readonly learnt: readonly number[];
}

/** The pieces of a conversation, and why parts of it are none. */
export interface CutConversation {
  readonly pieces: readonly ContentPiece[];
  readonly problems: readonly CutProblem[];
}

/**
 * Cuts a conversation that is too long for the context of an encoder into several: between exchanges, each of which
 * begins with what a user says, and ends before the next one who speaks after an assistant. The system messages at its
 * head stand before every piece, and are learnt in the first alone. An exchange that is too long by itself is left out, and
 * so is a piece of which nothing is learnt.
 *
 * @param contextLength in tokens
 * @throws FuseMeshError invalid_argument where a template cannot read the conversation or a piece of it
 */
export async function cutConversation(
  conversation: Conversation,
  encoders: readonly ContentEncoder[],
  contextLength: number,
): Promise<CutConversation> {
  const pieces: ContentPiece[] = [];
  const problems: CutProblem[] = [];
  const keep = (piece: ContentPiece, { turns }: Conversation) => {
    if (turns.some((turn) => turn.learnt)) pieces.push(piece);
    else problems.push('nothing learnt');
  };
  const whole = await encode(conversation, encoders);
  if (fits(whole.piece, contextLength)) {
    keep(whole.piece, conversation);
    return { pieces, problems };
  }
  const { head, exchanges } = exchangesOf(conversation.turns);
  if (exchanges.length === 0) problems.push('too long');
  const sizes = tokensOfExchanges(conversation, head.length, exchanges, whole.tokenizations);
  for (let begin = 0; begin < exchanges.length; ) {
    let count = countThatFits(sizes, begin, contextLength);
    for (; ; count--) {
      const repeated = pieces.length === 0 ? head : head.map((turn) => ({ ...turn, learnt: false }));
      const said = exchanges.slice(begin, begin + count).flat();
      const part = { turns: [...repeated, ...said], tools: conversation.tools };
      const isWhole = part.turns.length === conversation.turns.length;
      const { piece } = isWhole ? whole : await encode(part, encoders);
      if (fits(piece, contextLength)) keep(piece, part);
      else if (count > 1) continue;
      else problems.push('too long');
      break;
    }
    begin += count;
  }
  return { pieces, problems };
}

const fits = ({ tokens }: ContentPiece, contextLength: number): boolean =>
  tokens.every((count) => count <= contextLength);

async function encode(
  conversation: Conversation,
  encoders: readonly ContentEncoder[],
): Promise<{ piece: ContentPiece; tokenizations: readonly Tokenization[] }> {
  const encoded = await Promise.all(encoders.map((encoder) => encoder.encodeBatch([conversation])));
  const tokenizations = encoded.flat();
  const piece = {
    content: conversation,
    bytes: conversation.turns.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0),
    tokens: tokenizations.map(({ ids }) => ids.length),
    learnt: tokenizations.map((tokenization) => learntTokens(conversation, tokenization)),
  };
  return { piece, tokenizations };
}

const learntTokens = (conversation: Conversation, tokenization: Tokenization): number =>
  learnt(conversation, tokenization)?.reduce((sum, isLearnt) => sum + isLearnt, 0) ?? 0;

const headRoles = ['system', 'developer'];

/** The system messages at the beginning, and the exchanges behind them. Text that nobody speaks is one. */
function exchangesOf(turns: readonly Turn[]): {
  head: readonly Turn[];
  exchanges: readonly (readonly Turn[])[];
} {
  const first = turns.findIndex(({ role }) => !headRoles.includes(role));
  const head = turns.slice(0, first === -1 ? turns.length : first);
  const exchanges: Turn[][] = [];
  for (const [i, turn] of turns.entries()) {
    if (i < head.length) continue;
    const begins = i === head.length || (turn.role === 'user' && turns[i - 1].role === 'assistant');
    if (begins) exchanges.push([turn]);
    else exchanges[exchanges.length - 1].push(turn);
  }
  return { head, exchanges };
}

/** How many tokens the parts of a conversation have, all together, in each encoder. */
interface Sizes {
  /** [encoders] of the head. */
  readonly head: readonly number[];
  /** [exchanges][encoders] */
  readonly exchanges: readonly (readonly number[])[];
}

/** What stands in the coordinates of an exchange; a template may put more around it where it stands alone. */
function tokensOfExchanges(
  conversation: Conversation,
  headTurns: number,
  exchanges: readonly (readonly Turn[])[],
  tokenizations: readonly Tokenization[],
): Sizes {
  const places = turnPlaces(conversation);
  const endOf = (turns: number) => {
    if (turns === 0) return 0;
    return turns === places.length ? contentEnd(conversation).most : places[turns - 1].end + 1;
  };
  const ends = [endOf(headTurns)];
  let turns = headTurns;
  for (const exchange of exchanges) {
    turns += exchange.length;
    ends.push(endOf(turns));
  }
  const read = tokenizations.map((tokenization) => tokensBefore(tokenization, ends));
  return {
    head: read.map((counts) => counts[0]),
    exchanges: exchanges.map((_, i) => read.map((counts) => counts[i + 1] - counts[i])),
  };
}

/** [ends] how many tokens end before or at each, which rise. */
function tokensBefore({ ends: tokenEnds }: Tokenization, ends: readonly number[]): number[] {
  let count = 0;
  return ends.map((end) => {
    while (count < tokenEnds.length && tokenEnds[count] <= end) count++;
    return count;
  });
}

/** How many exchanges probably fit together, one at least. */
function countThatFits({ head, exchanges }: Sizes, begin: number, contextLength: number): number {
  const sums = [...head];
  let count = 0;
  for (const sizes of exchanges.slice(begin)) {
    for (const [i, size] of sizes.entries()) sums[i] += size;
    if (sums.some((sum) => sum > contextLength)) break;
    count++;
  }
  return Math.max(1, count);
}
