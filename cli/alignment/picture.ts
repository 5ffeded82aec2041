import { type Alignment, says } from '../../fusion/align/alignment.ts';
import type { Tokenization } from '../../model/tokenizer/tokenization.ts';

/** What stands between the two rows where a token of the target ends. */
export const marks: Readonly<Record<number, string>> = {
  [says.candidates]: '●',
  [says.chained]: '◆',
  [says.beginning]: '◇',
  [says.nothing]: '○',
};

/** One character of the text and what ends behind it; or a byte inside of the last one, behind which something ends. */
interface Column {
  /** Empty for a byte. */
  readonly character: string;
  /** A bar, or a broken one inside of a character. */
  readonly bar: string;
  readonly sourceEnds: boolean;
  /** The mark of the target's token that ends here. */
  readonly mark: string | undefined;
}

/**
 * Two tokenizations of a text one above the other: a bar where a token ends, and between the rows a mark where
 * one of the target does, which says what the source knows there. Behind a character stand broken bars for the tokens
 * that end inside of it.
 *
 * @param width characters of a line
 * @returns lines in threes: source, marks, target
 */
export function picture(
  text: string,
  source: Pick<Tokenization, 'ends'>,
  target: Pick<Tokenization, 'ends'>,
  alignment: Pick<Alignment, 'kinds'>,
  width: number,
): string[] {
  const lines: string[] = [];
  let rows = ['', '', ''];
  for (const { character, bar, sourceEnds, mark } of columnsOf(text, source, target, alignment)) {
    const split = sourceEnds || mark !== undefined;
    const cells = [
      character + (split ? (sourceEnds ? bar : ' ') : ''),
      ' '.repeat(character.length) + (split ? (mark ?? ' ') : ''),
      character + (split ? (mark ? bar : ' ') : ''),
    ];
    if (rows[0].length + cells[0].length > width) {
      lines.push(...rows, '');
      rows = ['', '', ''];
    }
    rows = rows.map((row, i) => row + cells[i]);
  }
  lines.push(...rows);
  return lines.map((line) => line.trimEnd());
}

function* columnsOf(
  text: string,
  source: Pick<Tokenization, 'ends'>,
  target: Pick<Tokenization, 'ends'>,
  { kinds }: Pick<Alignment, 'kinds'>,
): Generator<Column> {
  const sourceEnds = new Set(source.ends);
  // Of tokens that end at the same offset, the last counts.
  const markAt = new Map(Array.from(target.ends, (end, i) => [end, marks[kinds[i]]]));
  let offset = 0;
  for (const character of text) {
    const end = offset + Buffer.byteLength(character);
    let rest = visible(character);
    for (offset++; offset <= end; offset++) {
      const [sourceEnd, mark] = [sourceEnds.has(offset), markAt.get(offset)];
      if (offset < end && !sourceEnd && mark === undefined) continue;
      yield { character: rest, bar: offset < end ? '╎' : '│', sourceEnds: sourceEnd, mark };
      rest = '';
    }
    offset = end;
  }
}

const shown: Readonly<Record<string, string>> = { ' ': '·', '\n': '⏎', '\t': '⇥', '\r': '␍' };

/** A character that can be seen. */
const visible = (character: string): string => shown[character] ?? character;

/** A token's text as people can read it in a list. */
export const quoted = (text: string): string => `"${Array.from(text, visible).join('')}"`;
