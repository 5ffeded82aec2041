import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { byteLevelAlphabet, Tokenizer } from 'tokenizers';
import { readWords, trainUnigramPieces } from './unigram.ts';

/** A tokenizer.json, ready to be written. */
export type TokenizerFile = Readonly<Record<string, unknown>>;

type Merge = readonly [string, string];

const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
const byteTokens = Array.from({ length: 256 }, (_, byte) => {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
});

/** GPT-2's kind: byte-level BPE; `<|endoftext|>` is the last token, nothing is put around a text. */
export async function trainByteLevelBpe(files: readonly string[], size: number): Promise<TokenizerFile> {
  const preTokenizer = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const merges = await learnMerges(files, preTokenizer);
  const model = bpeModel([...byteLevelAlphabet()].sort(), merges, size - 1);
  const endOfText = Object.keys(model.vocab).length;
  model.vocab['<|endoftext|>'] = endOfText;
  return tokenizerFile({
    added_tokens: [specialToken(endOfText, '<|endoftext|>')],
    pre_tokenizer: preTokenizer,
    post_processor: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { ...model, unk_token: null, fuse_unk: false, byte_fallback: false },
  });
}

/** Llama's kind: BPE over ▁-words, bytes where a character has no token, `<s>` put before every text. */
export async function trainLlamaBpe(files: readonly string[], size: number): Promise<TokenizerFile> {
  const special = ['<unk>', '<s>', '</s>'];
  // While learning, merges stop at words' ends, line ends and punctuation, as in SentencePiece.
  const merges = await learnMerges(files, {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { String: '\n' }, behavior: 'Removed', invert: false },
      metaspace,
      { type: 'Punctuation', behavior: 'Isolated' },
    ],
  });
  const characters = [...new Set(merges.flat().flatMap((token) => [...token]))].sort();
  return tokenizerFile({
    added_tokens: special.map((token, id) => specialToken(id, token)),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    post_processor: template(['<s>', 1], undefined),
    decoder: sentencePieceDecoder(),
    model: {
      ...bpeModel([...special, ...byteTokens, ...characters], merges, size),
      unk_token: '<unk>',
      fuse_unk: true,
      byte_fallback: true,
    },
  });
}

/** T5's kind: Unigram over ▁-words, bytes where a character has no piece, `</s>` put behind every text. */
export async function trainUnigram(files: readonly string[], size: number): Promise<TokenizerFile> {
  const special = ['<unk>', '</s>'];
  const always: [string, number][] = [...special, ...byteTokens].map((token) => [token, 0]);
  const pieces = await trainUnigramPieces(await readWords(files), size - always.length);
  return tokenizerFile({
    added_tokens: special.map((token, id) => specialToken(id, token)),
    pre_tokenizer: metaspace,
    post_processor: template(undefined, ['</s>', 1]),
    decoder: sentencePieceDecoder(),
    model: { type: 'Unigram', unk_id: 0, vocab: [...always, ...pieces], byte_fallback: true },
  });
}

/** The merges that the official trainer finds, most useful first: far more than a small vocabulary takes. */
async function learnMerges(files: readonly string[], preTokenizer: unknown): Promise<Merge[]> {
  const model = { type: 'BPE', vocab: {}, merges: [] };
  const tokenizer = Tokenizer.fromString(
    JSON.stringify(tokenizerFile({ pre_tokenizer: preTokenizer, model })),
  );
  tokenizer.train([...files]);
  // The binding shows what it learnt only in a file.
  const directory = await mkdtemp(join(tmpdir(), 'fusemesh-merges-'));
  const path = join(directory, 'tokenizer.json');
  tokenizer.save(path);
  const { model: learnt } = JSON.parse(await readFile(path, 'utf8')) as { model: { merges: Merge[] } };
  await rm(directory, { recursive: true });
  return learnt.merges;
}

/** The first tokens, then those that the merges make, until there are `size`. */
function bpeModel(firstTokens: readonly string[], merges: readonly Merge[], size: number) {
  const vocab: Record<string, number> = {};
  const kept: Merge[] = [];
  let next = 0;
  for (const token of firstTokens) vocab[token] ??= next++;
  for (const merge of merges) {
    if (next === size) break;
    // Two merges may spell the same token.
    vocab[merge.join('')] ??= next++;
    kept.push(merge);
  }
  return {
    type: 'BPE',
    dropout: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    vocab,
    merges: kept,
  };
}

function tokenizerFile(parts: Readonly<Record<string, unknown>>): TokenizerFile {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    ...parts,
  };
}

function specialToken(id: number, content: string) {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

/** A post-processor that puts special tokens (with their ids) around a text. */
function template(before: [string, number] | undefined, after: [string, number] | undefined) {
  const around = [before, after].filter((token) => token !== undefined);
  const special = (token: [string, number] | undefined) =>
    token === undefined ? [] : [{ SpecialToken: { id: token[0], type_id: 0 } }];
  const sequence = (id: string) => ({ Sequence: { id, type_id: 0 } });
  return {
    type: 'TemplateProcessing',
    single: [...special(before), sequence('A'), ...special(after)],
    pair: [...special(before), sequence('A'), ...special(before), sequence('B'), ...special(after)],
    special_tokens: Object.fromEntries(
      around.map(([token, id]) => [token, { id: token, ids: [id], tokens: [token] }]),
    ),
  };
}

/** Turns ▁ and byte tokens back into text, without the space that was put in front. */
function sentencePieceDecoder() {
  return {
    type: 'Sequence',
    decoders: [
      { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      { type: 'ByteFallback' },
      { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
    ],
  };
}
