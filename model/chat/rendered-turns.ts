import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { ChatTemplate } from './chat-template.ts';
import type { Conversation } from './conversation.ts';
import { isBlank } from './jinja/python-text.ts';
import { type Message, messagesOf, toolsOf } from './messages.ts';

/** Where what one turn says stands in a rendering. Both in UTF-16 code units. */
export interface RenderedTurn {
  /** The rendering from here to there is the part of the content that the template keeps. */
  readonly from: number;
  readonly to: number;
  /** Where that part begins in the content. */
  readonly keptFrom: number;
}

/** A conversation as a template renders it. */
export interface RenderedConversation {
  readonly text: string;
  /** One a turn; undefined for an empty one that stands nowhere. */
  readonly turns: readonly (RenderedTurn | undefined)[];
}

/** A conversation on its way through a template. */
interface Reading {
  readonly template: ChatTemplate;
  readonly conversation: Conversation;
  readonly messages: readonly Message[];
  readonly tools: unknown;
  readonly text: string;
  /** The first of the code points that mark turns. */
  readonly firstMark: number;
}

/**
 * Renders a conversation and finds where in the rendering each turn's content stands. A character that is in none of the
 * texts is put into each content, and the rendering without those must be the true one: so whatever the template does,
 * the characters around a mark are the content's. From there the content is followed both ways; what the template may
 * leave out is space at its edges, and thoughts (up to </think>).
 *
 * @param generationPrompt what the template puts before an answer, if that is known; '' otherwise
 * @throws FuseMeshError invalid_argument where the template refuses the conversation, or changes what a turn says
 */
export function renderConversation(
  template: ChatTemplate,
  conversation: Conversation,
  generationPrompt: string,
): RenderedConversation {
  const messages = messagesOf(conversation);
  const tools = toolsOf(conversation);
  const text = template.render(messages, { tools, addGenerationPrompt: false });
  const firstMark = marksMissingIn(text + messages.map(({ content }) => content).join(''), messages.length);
  const reading: Reading = { template, conversation, messages, tools, text, firstMark };

  const all = messages.map(({ content }) => placesForMark(content)[0]);
  const together = markedPlaces(reading, all);
  const turns: (RenderedTurn | undefined)[] = [];
  let end = 0;
  for (let turn = 0; turn < messages.length; turn++) {
    const found = together === undefined ? undefined : { mark: all[turn], at: together[turn] };
    const place = placeOf(reading, turn, found ?? aloneIn(reading, turn), end, generationPrompt);
    if (place !== undefined) end = place.to;
    turns.push(place);
  }
  return { text, turns };
}

/** Turns that nobody speaks, one after another; the end-of-text token follows the last where that is learnt and finished. */
export function joinedTurns({ turns }: Conversation, endOfText: string): RenderedConversation {
  let text = '';
  const places = turns.map(({ content }) => {
    const from = text.length;
    text += content;
    return { from, to: text.length, keptFrom: 0 };
  });
  const last = turns.at(-1);
  const closes = last?.learnt === true && last.unfinished !== true && !text.endsWith(endOfText);
  return { text: closes ? text + endOfText : text, turns: places };
}

/** A mark in a content, and where it stands in the rendering. */
interface MarkedPlace {
  readonly mark: number;
  readonly at: number;
}

/** Where one content stands, whose mark has been found; of an empty one that has none, where the template's frame says. */
function placeOf(
  reading: Reading,
  turn: number,
  marked: MarkedPlace | undefined,
  after: number,
  generationPrompt: string,
): RenderedTurn | undefined {
  const { text, messages, conversation } = reading;
  const { role, content } = messages[turn];
  if (marked === undefined) {
    if (content !== '') throw changed(reading, turn);
    if (role !== 'assistant') return undefined;
    // A template that asks whether there is any content puts something else in its place (tool calls).
    const prompt = generationPrompt === '' ? -1 : text.indexOf(generationPrompt, after);
    if (prompt < 0) throw changed(reading, turn);
    const from = prompt + generationPrompt.length;
    return { from, to: from, keptFrom: 0 };
  }
  const { mark, at } = marked;
  if (at < after) throw changed(reading, turn);
  let keptTo = mark;
  while (keptTo < content.length && content[keptTo] === text[at + keptTo - mark]) keptTo++;
  let keptFrom = mark;
  while (
    keptFrom > 0 &&
    at + keptFrom - mark > after &&
    content[keptFrom - 1] === text[at + keptFrom - mark - 1]
  ) {
    keptFrom--;
  }
  const rewritten = !isBlank(content.slice(keptTo)) || !isBlank(content.slice(0, keptFrom));
  // What a tool replies is often written as JSON: the model reads it, but none of the characters are the content's.
  if (rewritten && role === 'tool' && !conversation.turns[turn].learnt) {
    return { from: at, to: at, keptFrom: content.length };
  }
  if (!isBlank(content.slice(0, keptFrom))) {
    const thoughtsEnd = content.lastIndexOf(endOfThoughts) + endOfThoughts.length;
    if (keptFrom > answerBegins(content)) throw changed(reading, turn);
    keptFrom = Math.max(keptFrom, thoughtsEnd);
  }
  if (!isBlank(content.slice(keptTo))) throw changed(reading, turn);
  return { from: at + keptFrom - mark, to: at + keptTo - mark, keptFrom };
}

/** The mark of one content alone, at the first place where it changes nothing else of the rendering. */
function aloneIn(reading: Reading, turn: number): MarkedPlace | undefined {
  for (const mark of placesForMark(reading.messages[turn].content)) {
    const only = reading.messages.map((_, other) => (other === turn ? mark : undefined));
    const at = markedPlaces(reading, only)?.[turn];
    if (at !== undefined) return { mark, at };
  }
  return undefined;
}

/**
 * @param into [turns] where to put each mark into its content; undefined for none
 * @returns [turns] where each stands in the true rendering; undefined where the marked one is another, or does not hold
 * each mark once
 */
function markedPlaces(
  { template, messages, tools, text, firstMark }: Reading,
  into: readonly (number | undefined)[],
): number[] | undefined {
  const marked = messages.map((message, turn) => {
    const mark = into[turn];
    if (mark === undefined) return message;
    const { content } = message;
    return {
      ...message,
      content: content.slice(0, mark) + String.fromCodePoint(firstMark + turn) + content.slice(mark),
    };
  });
  let rendering: string;
  try {
    rendering = template.render(marked, { tools, addGenerationPrompt: false });
  } catch {
    return undefined;
  }
  const places = new Array<number>(messages.length).fill(-1);
  let plain = '';
  let read = 0;
  for (const match of rendering.matchAll(marks)) {
    const turn = match[0].codePointAt(0)! - firstMark;
    if (turn < 0 || turn >= places.length) continue;
    if (places[turn] >= 0) return undefined;
    plain += rendering.slice(read, match.index);
    read = match.index + match[0].length;
    places[turn] = plain.length;
  }
  plain += rendering.slice(read);
  if (plain !== text) return undefined;
  return into.every((mark, turn) => mark === undefined || places[turn] >= 0) ? places : undefined;
}

/** Where a mark may stand in a content, those first that the fewest templates notice. */
function placesForMark(content: string): number[] {
  if (content === '') return [0];
  const answer = answerBegins(content);
  let from = answer;
  while (from < content.length && isBlank(content[from])) from++;
  let to = content.length;
  while (to > from && isBlank(content[to - 1])) to--;
  const places = [(from + to) >> 1, from + 1, to - 1, from, to].map((place) => {
    const inside = Math.max(from, Math.min(to, place));
    // Not between the two halves of a character.
    return /[\udc00-\udfff]/.test(content[inside] ?? '') ? inside + 1 : inside;
  });
  return [...new Set(places)];
}

/** Where what stands behind the thoughts begins: behind the last </think> and its newlines; 0 without thoughts. */
function answerBegins(content: string): number {
  const thoughts = content.lastIndexOf(endOfThoughts);
  if (thoughts < 0) return 0;
  let begin = thoughts + endOfThoughts.length;
  while (content[begin] === '\n') begin++;
  return begin;
}

const endOfThoughts = '</think>';

/** Characters that Unicode leaves to private use, two planes of them. */
const marks = /[\u{f0000}-\u{10ffff}]/gu;
const [lowestMark, highestMark] = [0xf0000, 0x10ffff];

/** The first of as many code points as there are turns, none of which is in the text. */
function marksMissingIn(text: string, turns: number): number {
  const used = new Set(Array.from(text.matchAll(marks), ([mark]) => mark.codePointAt(0)!));
  let first = lowestMark;
  for (let mark = first; mark <= highestMark && mark < first + turns; mark++)
    if (used.has(mark)) first = mark + 1;
  if (first + turns <= highestMark) return first;
  throw new FuseMeshError(
    'invalid_argument',
    `A conversation of ${turns} turns has too many of them, or too many characters for private use (U+F0000 and above)`,
  );
}

function changed({ template, conversation }: Reading, turn: number): FuseMeshError {
  return new FuseMeshError(
    'invalid_argument',
    `${template.name} leaves out or changes what turn ${turn + 1} (${conversation.turns[turn].role}) says, or puts it before an earlier turn: leave such conversations out, or name another template`,
  );
}
