import type { Content, Conversation } from './conversation.ts';

/** Where one turn stands in its conversation. */
export interface TurnPlace {
  /** Where its content begins: one byte before, what templates put before it. */
  readonly begin: number;
  /** Where its content ends: from here one byte is the token that ends the turn. */
  readonly end: number;
}

/**
 * The coordinates of a conversation, which all models share whatever their templates put around what is said
 * (proto/fusemesh/v1/distribution.proto): for each turn one byte for what stands before it, the UTF-8 bytes of its
 * content, and one byte for the token that ends it; one byte more for what stands behind the last.
 */
export function turnPlaces({ turns }: Conversation): TurnPlace[] {
  let at = 0;
  return turns.map(({ content }) => {
    const begin = at + 1;
    const end = begin + Buffer.byteLength(content);
    at = end + 1;
    return { begin, end };
  });
}

/** Where the last token of a content can end: a model may put nothing behind the last turn, or not even an end to it. */
export function contentEnd(content: Content): { readonly least: number; readonly most: number } {
  if (typeof content === 'string') {
    const bytes = Buffer.byteLength(content);
    return { least: bytes, most: bytes };
  }
  const end = turnPlaces(content).at(-1)?.end ?? 0;
  return { least: end, most: end + 2 };
}

/** A content as people read it, a byte for each of its coordinates: the turns, each between two line ends. */
export function contentText(content: Content): string {
  if (typeof content === 'string') return content;
  return `${content.turns.map((turn) => `\n${turn.content}\n`).join('')}\n`;
}
