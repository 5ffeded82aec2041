import { readFile } from 'node:fs/promises';
import { Tokenizer } from 'tokenizers';

/** A piece of text and its natural log-probability. */
export type Piece = [string, number];

/** Characters of the longest piece. */
const longestPiece = 12;
/** How many pieces the search begins with. */
const seedPieces = 12_000;
/** What each round keeps, as a share of the pieces before it. */
const keptShare = 0.75;

/** The words of texts, each with ▁ for the space before it, and how often each occurs. */
export async function readWords(files: readonly string[]): Promise<Map<string, number>> {
  const words = new Map<string, number>();
  for (const file of files) {
    const text = ` ${await readFile(file, 'utf8')}`;
    for (const word of text.replaceAll(' ', '▁').split(/(?=▁)/)) words.set(word, (words.get(word) ?? 0) + 1);
  }
  return words;
}

/**
 * Learns a Unigram vocabulary (Kudo 2018, "Subword Regularization"): from all frequent substrings of words,
 * the best segmentation of the text drops the pieces that it uses least, round by round. The official
 * trainer sums over all segmentations in parallel and finds other pieces at every run; this one is exact.
 */
export async function trainUnigramPieces(words: ReadonlyMap<string, number>, size: number): Promise<Piece[]> {
  let pieces = await recount(seed(words), words);
  while (pieces.length > size) {
    const kept = Math.max(size, Math.floor(pieces.length * keptShare));
    pieces = await recount(mostFrequent(pieces, kept), words);
  }
  return recount(pieces, words);
}

/** All characters, and the substrings that cover the most text. */
function seed(words: ReadonlyMap<string, number>): Piece[] {
  const coverage = new Map<string, number>();
  for (const [word, count] of words) {
    const characters = [...word];
    for (let begin = 0; begin < characters.length; begin++) {
      let piece = '';
      for (const character of characters.slice(begin, begin + longestPiece)) {
        piece += character;
        coverage.set(piece, (coverage.get(piece) ?? 0) + count * [...piece].length);
      }
    }
  }
  return mostFrequent([...coverage], seedPieces).map(([piece, covered]) => [piece, Math.log(covered)]);
}

/** Counts how often the best segmentation of the words uses each piece, and makes that the piece's score. */
async function recount(pieces: readonly Piece[], words: ReadonlyMap<string, number>): Promise<Piece[]> {
  const highest = pieces.reduce((score, piece) => Math.max(score, piece[1]), Number.NEGATIVE_INFINITY);
  const vocab = [['<unk>', 0], ...pieces.map(([piece, score]) => [piece, score - highest - 1])];
  const tokenizer = Tokenizer.fromString(
    JSON.stringify({ version: '1.0', added_tokens: [], model: { type: 'Unigram', unk_id: 0, vocab } }),
  );
  const uses = new Float64Array(vocab.length);
  const encodings = await tokenizer.encodeBatch([...words.keys()]);
  const counts = [...words.values()];
  let all = 0;
  for (let i = 0; i < encodings.length; i++) {
    for (const id of encodings[i].getIds()) {
      uses[id] += counts[i];
      all += counts[i];
    }
  }
  // Characters that no segmentation uses alone stay possible. Scores are rounded, because the last digits of a
  // logarithm differ between machines.
  return pieces.map(([piece], i) => [piece, Number(Math.log(Math.max(uses[i + 1], 0.1) / all).toFixed(6))]);
}

/** Those of highest score and all single characters, by falling score; equal scores in code-unit order. */
function mostFrequent(pieces: readonly Piece[], count: number): Piece[] {
  const rank = ([piece]: Piece) => ([...piece].length === 1 ? 0 : 1);
  const byScore = (a: Piece, b: Piece) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1);
  return [...pieces]
    .sort((a, b) => rank(a) - rank(b) || byScore(a, b))
    .slice(0, count)
    .sort(byScore);
}
