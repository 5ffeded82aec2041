/**
 * Where to cut a text so that the left part has at most `most` characters: after a paragraph that ends in its last
 * quarter, else after a line or sentence or before a space in its second half, so that pieces stay long, else between
 * any two characters.
 *
 * @param most UTF-16 code units, at least 1 and less than the text's length
 * @returns 1 to most, or 2 where most is 1 and would split a character of two code units
 */
export function cutBefore(text: string, most: number): number {
  const least = Math.ceil(most / 2);
  return (
    lastEnd(text, /\n\s*\n/g, Math.ceil(0.75 * most), most) ??
    lastEnd(text, /\n|[.!?。！？]["'”’)\]]*(?=\s|$)|[。！？]/g, least, most) ??
    lastStart(text, /\s/g, least, most) ??
    characterBoundary(text, most)
  );
}

function lastEnd(text: string, boundary: RegExp, least: number, most: number): number | undefined {
  let found: number | undefined;
  for (const match of text.slice(0, most + 1).matchAll(boundary)) {
    const end = match.index + match[0].length;
    if (end >= least && end <= most) found = end;
  }
  return found;
}

function lastStart(text: string, boundary: RegExp, least: number, most: number): number | undefined {
  let found: number | undefined;
  for (const { index } of text.slice(0, most + 1).matchAll(boundary)) {
    if (index >= least && index <= most && index > 0) found = index;
  }
  return found;
}

function characterBoundary(text: string, most: number): number {
  if (!isInsideCharacter(text, most)) return most;
  return most === 1 ? 2 : most - 1;
}

/** Whether a position stands between the two halves of a surrogate pair. */
function isInsideCharacter(text: string, position: number): boolean {
  const before = text.charCodeAt(position - 1);
  const after = text.charCodeAt(position);
  return before >= 0xd800 && before < 0xdc00 && after >= 0xdc00 && after < 0xe000;
}
