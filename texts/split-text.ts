import { FuseMeshError } from '../errors/fusemesh-error.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { cutBefore } from './cut.ts';
import { type Stretch, StretchTokens } from './stretch-tokens.ts';

/** Assumed characters a token, until a piece of the text has been measured. */
const expectedCharacters = 4;
/** How much longer the next attempt is than what the last piece suggests. */
const margin = 1.1;

/**
 * Cuts a text into pieces that fit into the context with every tokenizer, special tokens included: where possible after
 * a paragraph or a sentence or before a space. The pieces joined are the text.
 *
 * @param contextLength in tokens
 * @returns non-empty pieces; none for an empty text
 * @throws FuseMeshError invalid_argument when a single character takes more than the context
 */
export async function splitText(
  text: string,
  tokenizers: readonly Tokenizer[],
  contextLength: number,
): Promise<string[]> {
  return (await splitAndCount(text, tokenizers, contextLength)).map((piece) => piece.text);
}

/** A piece of a text. */
export interface CountedPiece {
  readonly text: string;
  /** [tokenizers] its length in tokens. */
  readonly tokens: readonly number[];
}

/** As {@link splitText}, with the pieces' lengths in tokens. */
export async function splitAndCount(
  text: string,
  tokenizers: readonly Tokenizer[],
  contextLength: number,
): Promise<CountedPiece[]> {
  const pieces: CountedPiece[] = [];
  const tokens = tokenizers.map((tokenizer) => new StretchTokens(text, tokenizer));
  let attempt = contextLength * expectedCharacters;
  for (let begin = 0; begin < text.length; ) {
    const rest = text.slice(begin, begin + 2 * attempt);
    const isLast = begin + rest.length === text.length;
    // A rest of little more than one piece is halved, so that no tiny piece is left.
    const wanted = isLast && rest.length > attempt ? Math.ceil(rest.length / 2) : attempt;
    const read = (length: number) => Promise.all(tokens.map((each) => each.read(begin, begin + length)));
    const piece = await firstPiece(rest, Math.min(wanted, rest.length), read, contextLength);
    pieces.push({ text: piece.text, tokens: piece.tokens });
    begin += piece.text.length;
    attempt = Math.ceil(Math.max(contextLength, piece.fullLength * margin));
  }
  return pieces;
}

interface Piece extends CountedPiece {
  /** How long a piece that fills the context would be, judging by this one's characters a token. */
  readonly fullLength: number;
}

/** @param read the tokens of the text's beginning, of every tokenizer */
async function firstPiece(
  text: string,
  wanted: number,
  read: (length: number) => Promise<Stretch[]>,
  contextLength: number,
): Promise<Piece> {
  let length = wanted;
  for (;;) {
    if (length < text.length) length = cutBefore(text, length);
    const piece = text.slice(0, length);
    const stretches = await read(length);
    const tokens = stretches.map(({ ids }) => ids.length);
    const longest = Math.max(1, ...tokens);
    if (longest <= contextLength) {
      return { text: piece, tokens, fullLength: (piece.length * contextLength) / longest };
    }
    if ([...piece].length === 1) throw refuse(piece, longest, contextLength);
    const fitting = Math.min(...stretches.map((each) => fittingLength(piece, each, contextLength)));
    length = Math.max(1, Math.min(fitting, length - 1));
  }
}

/** Characters of the text, in UTF-16 code units, that the tokens which fit have read. */
function fittingLength(text: string, { ids, ends, byteBegin }: Stretch, contextLength: number): number {
  if (ids.length <= contextLength) return Number.POSITIVE_INFINITY;
  const bytes = Buffer.from(text);
  let read = ends[contextLength - 1] - byteBegin;
  // Back to between two characters.
  while ((bytes[read] & 0xc0) === 0x80) read--;
  return bytes.toString('utf8', 0, read).length;
}

function refuse(character: string, tokens: number, contextLength: number): FuseMeshError {
  return new FuseMeshError(
    'invalid_argument',
    `The character ${JSON.stringify(character)} takes ${tokens} tokens and the context length is ${contextLength}: raise it.`,
  );
}
