import type { ContentEncoder } from '../../model/chat/content-encoder.ts';
import { turnPlaces } from '../../model/chat/content-layout.ts';
import type { Conversation } from '../../model/chat/conversation.ts';
import type { Spans } from '../../model/tokenizer/spans-from-bytes.ts';
import { NOT_MAPPED } from '../vocabulary/exact-map.ts';
import type { SourceVocabulary } from '../vocabulary/source-vocabulary.ts';
import { type Alignment, says } from './alignment.ts';
import { NOT_ALIGNED } from './boundary.ts';

/** The tokens that end turns, or texts that nobody speaks. */
export interface Ends {
  /** All that the source's template may put. */
  readonly source: readonly number[];
  /** What the target's puts behind an answer; undefined where that is nothing. */
  readonly target: number | undefined;
}

/** How two models relate in what ends a turn, and in what ends the last of turns that nobody speaks. */
export async function endsOf(
  source: ContentEncoder,
  target: ContentEncoder,
): Promise<{ readonly ofTurns: Ends; readonly ofTexts: Ends }> {
  const endOfText = source.endOfText();
  return {
    ofTurns: { source: await source.endsOfTurn(), target: await target.endOfTurn() },
    ofTexts: { source: endOfText === undefined ? [] : [endOfText], target: target.endOfText() },
  };
}

/**
 * Whoever has said all is followed by a token that ends the turn, or by what the template puts there instead. Takes out
 * of a conversation's alignment the positions before the target's ends of turns where the source's next token is none.
 *
 * @param target [n] spans in the conversation's coordinates, as the source's are
 */
export function withoutTemplates(
  alignment: Alignment,
  target: Spans,
  source: Spans,
  conversation: Conversation,
): Alignment {
  const rows = alignment.rows.slice();
  const kinds = alignment.kinds.slice();
  let next = 1;
  for (const { end } of turnPlaces(conversation)) {
    while (next < rows.length && target.ends[next] <= end) next++;
    const endsTurn = next < rows.length && target.starts[next] === end && target.ends[next] === end + 1;
    const row = rows[next - 1];
    if (!endsTurn || row === NOT_ALIGNED || source.ends[row + 1] === end + 1) continue;
    rows[next - 1] = NOT_ALIGNED;
    kinds[next - 1] = says.nothing;
  }
  return { ...alignment, rows, kinds };
}

/** A vocabulary in which what ends a turn becomes the target's own end, so that a student learns to stop. */
export function withEnds(vocabulary: SourceVocabulary, { source, target }: Ends): SourceVocabulary {
  if (source.length === 0) return vocabulary;
  const ids = vocabulary.ids.slice();
  const exact = vocabulary.exact.slice();
  for (const id of source) {
    ids[id] = target ?? NOT_MAPPED;
    exact[id] = Number(target !== undefined);
  }
  return { ...vocabulary, ids, exact };
}
