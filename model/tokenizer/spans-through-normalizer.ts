import type { Spans } from './spans-from-bytes.ts';

/** Characters that what stands before them may be composed with: marks, and the later letters of a Korean syllable. */
const composing = String.raw`\p{M}\u1160-\u11ff`;
/** What a normalizer changes as one: a character with all that may be composed with it. Few letters ever change. */
const piecesOfText = new RegExp(
  `[a-z]+(?![${composing}])|[^${composing}][${composing}]*|[${composing}]+`,
  'gsu',
);
/** Neither composes with anything nor is changed by any normalizer that we know. */
const anchor = '0';
/** Pieces whose normal form is remembered. */
const mostRemembered = 65_536;

/** A normalizer of a tokenizer, asked piece by piece and remembered. */
export class PieceNormalizer {
  readonly #normalize: (text: string) => string;
  readonly #known = new Map<string, string | undefined>();

  constructor(normalize: (text: string) => string) {
    this.#normalize = normalize;
  }

  /** The whole text as the tokenizer's model sees it. */
  whole(text: string): string {
    return this.#normalize(text);
  }

  /** What a piece becomes in the middle of a text; undefined where that cannot be told. */
  piece(piece: string): string | undefined {
    if (this.#known.has(piece)) return this.#known.get(piece);
    const around = this.#normalize(anchor + piece + anchor);
    const first = around.indexOf(anchor);
    const normalized =
      first < 0 ? undefined : around.slice(first + anchor.length, around.lastIndexOf(anchor));
    if (this.#known.size >= mostRemembered) this.#known.clear();
    this.#known.set(piece, normalized);
    return normalized;
  }
}

/** A text cut into p pieces that a normalizer changes one by one. */
interface Pieces {
  readonly count: number;
  /** [p] where each ends in the text, in bytes. */
  readonly ends: Int32Array;
  /** [p] where what it became ends in the normalized text, in bytes. */
  readonly normalizedEnds: Int32Array;
  /** [p] 1 where the normalizer left it as it is. */
  readonly unchanged: Uint8Array;
}

/**
 * Spans in a text from those in its normalized form. A token has read the text up to where its end in the normalized
 * form lies between two pieces, or inside of one that the normalizer left alone. Where it ends inside of a changed one
 * (between the letters of a ligature, or before a mark that its letter is composed with), nothing in the text
 * corresponds: it then ends with the next token that ends where something does. What the normalizer drops belongs to
 * the token before it.
 *
 * @param normalized spans in the normalized form that tile it
 * @param form the normalized form, as a whole
 * @returns undefined when the form is not that of the pieces one after another
 */
export function spansThroughNormalizer(
  text: string,
  form: string,
  normalizer: PieceNormalizer,
  normalized: Spans,
): Spans | undefined {
  const pieces = piecesOf(text, form, normalizer);
  if (pieces === undefined) return undefined;
  const n = normalized.ends.length;
  const starts = new Int32Array(n);
  const ends = new Int32Array(n);
  let piece = 0;
  for (let i = 0; i < n; i++) {
    const end = normalized.ends[i];
    // Of pieces that end there, the last: those behind the first became nothing.
    while (piece < pieces.count && pieces.normalizedEnds[piece] <= end) piece++;
    const before = piece === 0 ? 0 : pieces.ends[piece - 1];
    const inside = end - (piece === 0 ? 0 : pieces.normalizedEnds[piece - 1]);
    const corresponds = inside === 0 || pieces.unchanged[piece] === 1;
    ends[i] = corresponds ? before + inside : -1;
    if (i + 1 < n) starts[i + 1] = corresponds ? before + inside : before;
  }
  for (let i = n - 2; i >= 0; i--) if (ends[i] < 0) ends[i] = ends[i + 1];
  return { starts, ends };
}

/** @returns undefined where what the pieces become does not make the whole form */
function piecesOf(text: string, form: string, normalizer: PieceNormalizer): Pieces | undefined {
  const ends = new Int32Array(text.length);
  const normalizedEnds = new Int32Array(text.length);
  const unchanged = new Uint8Array(text.length);
  let count = 0;
  let end = 0;
  let reached = 0;
  let normalizedEnd = 0;
  for (const [piece] of text.matchAll(piecesOfText)) {
    let normalized = normalizer.piece(piece);
    if (normalized === undefined) return undefined;
    if (!form.startsWith(normalized, reached)) {
      // Spaces at the edges of a text, or beside other spaces, may be dropped.
      if (!/^\s$/u.test(piece)) return undefined;
      normalized = '';
    }
    end += Buffer.byteLength(piece);
    reached += normalized.length;
    normalizedEnd += Buffer.byteLength(normalized);
    ends[count] = end;
    normalizedEnds[count] = normalizedEnd;
    unchanged[count++] = Number(normalized === piece);
  }
  return reached === form.length ? { count, ends, normalizedEnds, unchanged } : undefined;
}
