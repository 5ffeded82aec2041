import type { TokenTable } from './token-table.ts';

/** Spans of n tokens in a text, in UTF-8 bytes from its beginning. */
export interface Spans {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

const SPACE = 0x20;

/** How a tokenizer spells spaces. */
export interface SpaceSpelling {
  /** Whether ▁ stands for a space, so that a ▁ of the text itself becomes one. */
  readonly metaspace: boolean;
  /** Whether every stretch of text between special tokens gets a space put in front. */
  readonly prependsAlways: boolean;
}

/**
 * Finds the tokens' spans by walking their bytes along the text's: exact to the byte, inside of
 * characters too, and needs no offsets. A space that the tokenizer added in front of the text has no span.
 *
 * @param ids [n] the tokens of the text, without those of the post-processor
 * @returns undefined when the tokens do not spell the text (it was normalized, or has unknown characters)
 */
export function spansFromBytes(
  text: string,
  ids: Int32Array,
  table: TokenTable,
  { metaspace, prependsAlways }: SpaceSpelling,
): Spans | undefined {
  const textBytes = Buffer.from(text);
  const { bytes, offsets, special } = table;
  const starts = new Int32Array(ids.length);
  const ends = new Int32Array(ids.length);

  let position = 0;
  let stretchBegins = true;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i];
    const end = offsets[id + 1];
    let byte = offsets[id];
    if (special[id] === 0 && bytes[byte] === SPACE) {
      const space = textBytes[position] === SPACE || (metaspace && isMark(textBytes, position));
      if ((stretchBegins && prependsAlways) || !space) byte++;
    }
    stretchBegins = special[id] === 1;
    starts[i] = position;
    while (byte < end) {
      if (bytes[byte] === textBytes[position]) position++;
      else if (metaspace && bytes[byte] === SPACE && isMark(textBytes, position)) position += 3;
      else return undefined;
      byte++;
    }
    ends[i] = position;
  }
  if (position !== textBytes.length) return undefined;
  return { starts, ends };
}

/** Whether there is a ▁ at a position. */
function isMark(textBytes: Uint8Array, position: number): boolean {
  return textBytes[position] === 0xe2 && textBytes[position + 1] === 0x96 && textBytes[position + 2] === 0x81;
}
