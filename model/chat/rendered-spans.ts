import type { Spans } from '../tokenizer/spans-from-bytes.ts';
import { contentEnd, type TurnPlace, turnPlaces } from './content-layout.ts';
import type { Conversation } from './conversation.ts';
import type { RenderedConversation } from './rendered-turns.ts';

/** How a model's tokens frame what is said. */
export interface Frame {
  /** What stands before an answer for the model to go on with; '' where that is unknown. */
  readonly generationPrompt: string;
  /** Whether a token ends a turn. */
  readonly endsTurn: (id: number) => boolean;
  /** Whether a token is special: it never spells what is said along with template text. */
  readonly isSpecial: (id: number) => boolean;
  /** Whether contents follow one another without any template: then a content's end is also where the next begins. */
  readonly joined: boolean;
}

/** One turn in the rendering and in the coordinates, all in UTF-8 bytes. */
interface Place extends TurnPlace {
  readonly from: number;
  readonly to: number;
  /** Where the kept part of the content begins in the coordinates. */
  readonly keptBegin: number;
  readonly callsTools: boolean;
  /** Where the generation prompt before it ends in the rendering: what follows is for the model to say. */
  readonly promptEnd: number;
}

/**
 * Spans in a conversation's coordinates (content-layout.ts) from those in its rendering.
 *
 * Tokens of content keep their place in it; one that spells template text too is clipped. What the template writes before
 * a content ends where the content begins (where its kept part does), what it writes between a content and the token that
 * ends the turn ends where the content does. Of those before a content, the ones up to the end of the generation prompt
 * begin one byte before it, those behind are empty: the model has to say them itself. Where no token ends a turn, the
 * last of its content ends one byte later: what follows it there is template text, which must teach nobody.
 *
 * @param tokens [n] ids, and their spans in the rendering
 * @returns [n] starts and ends, neither of which ever falls
 */
export function spansInConversation(
  conversation: Conversation,
  rendered: RenderedConversation,
  { ids, starts, ends }: Spans & { readonly ids: Int32Array },
  frame: Frame,
): Spans {
  const n = ids.length;
  const places = placesOf(conversation, rendered, frame.generationPrompt);
  const tail = contentEnd(conversation).most - 1;
  const spans = { starts: new Int32Array(n), ends: new Int32Array(n) };
  let turn = 0;
  let last = places.length === 0 ? -1 : endOfTurnIn(0);
  for (let i = 0; i < n; i++) {
    while (turn < places.length && (last < 0 ? starts[i] >= places[turn].to : i > last)) {
      turn++;
      last = turn < places.length ? endOfTurnIn(turn) : -1;
    }
    const place = places[turn];
    if (place === undefined) {
      spans.starts[i] = tail;
      spans.ends[i] = tail + 1;
    } else if (i === last) {
      spans.starts[i] = place.end;
      spans.ends[i] = place.end + 1;
    } else if (ends[i] <= place.from) {
      const own = starts[i] >= place.promptEnd || ends[i] > place.promptEnd;
      spans.starts[i] = own ? place.keptBegin : place.begin - 1;
      spans.ends[i] = place.keptBegin;
    } else if (starts[i] < place.from && frame.isSpecial(ids[i])) {
      // Some special tokens take the spaces behind them (rstrip), here the first of the content.
      spans.starts[i] = place.begin - 1;
      spans.ends[i] = endInContent(ends[i]);
    } else if (starts[i] >= place.to) {
      spans.starts[i] = place.end;
      spans.ends[i] = place.end;
    } else {
      spans.starts[i] = place.keptBegin + Math.max(starts[i], place.from) - place.from;
      spans.ends[i] = endInContent(ends[i]);
    }
  }
  return spans;

  /** Which token ends a turn; −1 where none does before the next content. */
  function endOfTurnIn(which: number): number {
    const { to, callsTools } = places[which];
    const limit = places[which + 1]?.from ?? Number.POSITIVE_INFINITY;
    let found = -1;
    for (let i = firstFrom(to); i < n && ends[i] <= limit; i++) {
      if (!frame.endsTurn(ids[i])) continue;
      found = i;
      // What a turn says before it calls a tool may be ended by itself.
      if (!callsTools) break;
    }
    return found;
  }

  /** The first token that begins at a byte of the rendering or behind it. */
  function firstFrom(byte: number): number {
    let low = 0;
    let high = n;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] < byte) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** What of the conversation has been read after a token that begins in this turn's content. */
  function endInContent(end: number): number {
    let which = turn;
    if (last < 0) while (which + 1 < places.length && end > places[which + 1].from) which++;
    const place = places[which];
    if (end < place.to) return place.keptBegin + end - place.from;
    return last < 0 && !frame.joined ? place.end + 1 : place.end;
  }
}

function placesOf(
  conversation: Conversation,
  { text, turns }: RenderedConversation,
  generationPrompt: string,
): Place[] {
  const places: Place[] = [];
  let unit = 0;
  let byte = 0;
  /** For units that rise. */
  const byteAt = (to: number): number => {
    byte += Buffer.byteLength(text.slice(unit, to));
    unit = to;
    return byte;
  };
  turnPlaces(conversation).forEach((inConversation, i) => {
    const rendered = turns[i];
    if (rendered === undefined) return;
    const { role, content, extras } = conversation.turns[i];
    let promptEnd = Number.POSITIVE_INFINITY;
    if (role === 'assistant' && generationPrompt !== '') {
      const at = text.slice(unit, rendered.from).indexOf(generationPrompt);
      if (at >= 0) promptEnd = byteAt(unit + at + generationPrompt.length);
    }
    const from = byteAt(rendered.from);
    const to = byteAt(rendered.to);
    const { begin, end } = inConversation;
    const keptBegin = from === to ? end : begin + Buffer.byteLength(content.slice(0, rendered.keptFrom));
    const callsTools = extras.includes('"tool_calls"');
    places.push({ begin, end, from, to, keptBegin, callsTools, promptEnd });
  });
  return places;
}
