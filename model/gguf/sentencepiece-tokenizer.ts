import type { Metadata } from './metadata.ts';
import type { TokenizerParts } from './tokenizer-parts.ts';
import type { Token, Vocabulary } from './vocabulary.ts';

/** SentencePiece's character for a space. */
const space = '▁';

/**
 * "llama": SentencePiece's BPE, which merges whatever pair makes the token of the highest score. The result is what
 * transformers' conversion of Llama's tokenizers gives: the merges in the order of their scores, a space in front of a
 * text, and bytes for characters that have no token.
 *
 * @throws FuseMeshError invalid_argument for what a tokenizer.json does not say so
 */
export function sentencePieceTokenizer(metadata: Metadata, vocabulary: Vocabulary): TokenizerParts {
  const { tokens, ids } = vocabulary;
  if (metadata.optionalBoolean('tokenizer.ggml.remove_extra_whitespaces'))
    throw metadata.refusal('tokenizer.ggml.remove_extra_whitespaces', 'is true, which is not supported');
  if (metadata.optionalNumbers('tokenizer.ggml.precompiled_charsmap')?.length)
    throw metadata.refusal('tokenizer.ggml.precompiled_charsmap', 'is there, which is not supported');
  const spaceInFront = metadata.optionalBoolean('tokenizer.ggml.add_space_prefix') ?? true;
  return {
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...(spaceInFront ? [{ type: 'Prepend', prepend: space }] : []),
        { type: 'Replace', pattern: { String: ' ' }, content: space },
      ],
    },
    preTokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: space }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(spaceInFront ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: tokens.find(({ id }) => id === ids.unknown)?.text ?? null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: tokens.some(({ kind }) => kind === 'byte'),
      vocab: Object.fromEntries(tokens.map(({ id, text }) => [text, id])),
      merges:
        metadata.optionalStrings('tokenizer.ggml.merges')?.map((merge) => merge.split(' ')) ??
        merges(metadata, tokens),
    },
    // As llama.cpp does.
    addBegin: true,
  };
}

interface Merge {
  readonly left: string;
  readonly right: string;
  readonly score: number;
}

/**
 * The merges that the scores stand for: every way to put a token together from two others, the best first. Of equal
 * scores, the one with the longer left side, as transformers orders them (generate_merges).
 */
function merges(metadata: Metadata, tokens: readonly Token[]): [string, string][] {
  const key = 'tokenizer.ggml.scores';
  const scores = metadata.optionalNumbers(key);
  if (scores === undefined) throw metadata.refusal(key, 'is missing, and so is tokenizer.ggml.merges');
  // Control tokens, bytes and unused tokens are never made of others.
  const merged = tokens.filter(({ kind }) => kind === 'normal' || kind === 'user-defined');
  const idOf = new Map(merged.map(({ id, text }) => [text, id]));
  const found = merged.flatMap(({ id, text }) =>
    splits(text)
      .filter(([left, right]) => idOf.has(left) && idOf.has(right))
      .map(([left, right]): Merge => ({ left, right, score: scores[id] }))
      .sort((a, b) => idOf.get(a.left)! - idOf.get(b.left)!),
  );
  if (found.length > 0 && found.every(({ score }) => score === found[0].score))
    throw metadata.refusal(key, 'are all the same, and say nothing of the merges');
  return found
    .sort(
      (a, b) =>
        b.score - a.score ||
        characters(b.left) - characters(a.left) ||
        characters(b.right) - characters(a.right),
    )
    .map(({ left, right }) => [left, right]);
}

const characters = (text: string): number => [...text].length;

/** All ways to cut a text in two between characters. */
function splits(text: string): [string, string][] {
  const all: [string, string][] = [];
  let left = '';
  for (const character of text) {
    if (left !== '') all.push([left, text.slice(left.length)]);
    left += character;
  }
  return all;
}
