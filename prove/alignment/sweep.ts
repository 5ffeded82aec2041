import { alignByBoundary, NOT_ALIGNED } from '../../fusion/align/boundary.ts';
import type { Tokenization } from '../../model/tokenizer/tokenization.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';

/** A position of the target that is aligned with a row of the source that has not read the same text. */
export interface WrongPosition {
  readonly target: string;
  readonly source: string;
  readonly text: string;
  readonly position: number;
  readonly row: number;
}

/** What of a tokenizer the sweep needs. */
export type SweptTokenizer = Pick<
  Tokenizer,
  'normalize' | 'encode' | 'encodeBatch' | 'decode' | 'tokenBytes'
>;

export interface Sweep {
  readonly pairs: number;
  /** Positions of a target that are aligned with a row of a source. */
  readonly aligned: number;
  readonly wrong: readonly WrongPosition[];
}

/** A tokenizer's cut of a text. */
interface Cut {
  readonly tokenization: Tokenization;
  /** [n] whether the tokens up to each stand for the text before its end, and for nothing else. */
  readonly hasRead: readonly boolean[];
}

/**
 * Aligns every tokenizer with every other on every text. At each position that is aligned, what the tokens of both sides
 * up to there decode to, by Hugging Face's library, must be the text before it: that is all that a teacher's
 * distribution may be conditioned on.
 *
 * @param tokenizers by name; each is loaded, cuts the texts, and is let go
 */
export async function sweep(
  tokenizers: ReadonlyMap<string, () => Promise<SweptTokenizer>>,
  texts: readonly string[],
): Promise<Sweep> {
  const cuts = new Map<string, readonly Cut[]>();
  for (const [name, load] of tokenizers) cuts.set(name, await cutsOf(await load(), texts));
  let [pairs, aligned] = [0, 0];
  const wrong: WrongPosition[] = [];
  for (const [target, ofTarget] of cuts) {
    for (const [source, ofSource] of cuts) {
      if (source === target) continue;
      pairs++;
      for (const [t, text] of texts.entries()) {
        const rows = alignByBoundary(ofTarget[t].tokenization.ends, ofSource[t].tokenization.ends);
        for (const [position, row] of rows.entries()) {
          if (row === NOT_ALIGNED) continue;
          aligned++;
          if (ofTarget[t].hasRead[position] && ofSource[t].hasRead[row]) continue;
          wrong.push({ target, source, text, position, row });
        }
      }
    }
  }
  return { pairs, aligned, wrong };
}

async function cutsOf(tokenizer: SweptTokenizer, texts: readonly string[]): Promise<Cut[]> {
  // Those in front of every text stand for nothing, even where the file does not call them special.
  const { length: prefix } = (await tokenizer.encode('')).ids;
  const tokenizations = await tokenizer.encodeBatch(texts);
  return Promise.all(
    tokenizations.map(async (tokenization, t) => ({
      tokenization,
      hasRead: await Promise.all(
        Array.from(tokenization.ids, (_, i) =>
          hasRead(tokenizer, texts[t], tokenization, { first: prefix, last: i }),
        ),
      ),
    })),
  );
}

async function hasRead(
  tokenizer: SweptTokenizer,
  text: string,
  { ids, ends }: Tokenization,
  { first, last }: { readonly first: number; readonly last: number },
): Promise<boolean> {
  const bytes = Buffer.from(text);
  const end = ends[last];
  const begun = ids.subarray(first, last + 1);
  const isWhole = end === bytes.length || (bytes[end] & 0xc0) !== 0x80;
  const whole = bytes.subarray(0, isWhole ? end : firstByteOf(bytes, end));
  const normal = Buffer.from(tokenizer.normalize(whole.toString()).replaceAll('▁', ' '));
  if (isWhole) return sameText(await tokenizer.decode(begun), normal.toString());
  // The library decodes parts of characters as U+FFFD: there the bytes that the vocabulary spells count.
  const spelt = Array.from(begun, (id) => tokenizer.tokenBytes(id) ?? '').join('');
  const read = Buffer.concat([normal, bytes.subarray(whole.length, end)]);
  return sameText(spelt, read.toString('latin1'));
}

/** Where the character begins that a byte belongs to. */
function firstByteOf(bytes: Uint8Array, at: number): number {
  let first = at;
  while ((bytes[first] & 0xc0) === 0x80) first--;
  return first;
}

/** Some tokenizers put a space in front of a text, and some decoders take one away. */
const sameText = (a: string, b: string): boolean => a === b || a === ` ${b}` || ` ${a}` === b;
