/** How a text is cut into words before its bytes are merged, by what `tokenizer.ggml.pre` names. */
export interface PreTokenizer {
  readonly normalizer: object | null;
  readonly preTokenizer: object;
  /** A word that is a token is one, whatever the merges say. */
  readonly ignoreMerges: boolean;
  /** Whether a token goes in front of a text where the metadata do not say. */
  readonly addBegin: boolean;
}

const nfc = { type: 'NFC' };
const byteLevel = (useRegex: boolean) => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: useRegex,
});
const cutAt = (pattern: string) => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
});
const sequence = (...pretokenizers: object[]) => ({ type: 'Sequence', pretokenizers });
const eachDigit = { type: 'Digits', individual_digits: true };
const plain = { normalizer: null, ignoreMerges: false, addBegin: false };

/** GPT-2's words, which the library has built in. */
const gpt2: PreTokenizer = { ...plain, preTokenizer: byteLevel(true) };
/** The same, every digit alone. */
const gpt2Digits: PreTokenizer = { ...plain, preTokenizer: sequence(eachDigit, byteLevel(true)) };
const words = (pattern: string) => sequence(cutAt(pattern), byteLevel(false));

// Words as the models' own tokenizer.json cut them, put together from what they have in common.
const contraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const letters = String.raw`[^\r\n\p{L}\p{N}]?\p{L}+`;
const whiteSpace = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
const marks = (behind: string) => String.raw` ?[^\s\p{L}\p{N}]+[${behind}]*`;
const digits = (most: string) => String.raw`\p{N}${most}`;
const upper = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const lower = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
/** Words of which a capital begins the next. */
const casedLetters = (ending: string) =>
  [`${upper}*${lower}+`, `${upper}+${lower}*`]
    .map((word) => String.raw`[^\r\n\p{L}\p{N}]?${word}${ending}`)
    .join('|');

const llama3: PreTokenizer = {
  normalizer: null,
  preTokenizer: words([contraction, letters, digits('{1,3}'), marks(String.raw`\r\n`), whiteSpace].join('|')),
  ignoreMerges: true,
  addBegin: true,
};
const qwen2: PreTokenizer = {
  ...plain,
  normalizer: nfc,
  preTokenizer: words([contraction, letters, digits(''), marks(String.raw`\r\n`), whiteSpace].join('|')),
};
const tekken: PreTokenizer = {
  normalizer: null,
  preTokenizer: words([casedLetters(''), digits(''), marks(String.raw`\r\n/`), whiteSpace].join('|')),
  ignoreMerges: true,
  addBegin: true,
};
const gpt4o: PreTokenizer = {
  ...plain,
  preTokenizer: words(
    [casedLetters(`${contraction}?`), digits('{1,3}'), marks(String.raw`\r\n/`), whiteSpace].join('|'),
  ),
};
const deepseekCoder: PreTokenizer = {
  ...plain,
  preTokenizer: sequence(
    cutAt(String.raw`[\r\n]`),
    cutAt(String.raw`\s?\p{L}+`),
    cutAt(String.raw`\s?\p{P}+`),
    cutAt('[一-龥ࠀ-一가-퟿]+'),
    eachDigit,
    byteLevel(false),
  ),
};

/** Punctuation, GPT-2's words, and digits by threes. */
const falcon: PreTokenizer = {
  ...plain,
  preTokenizer: sequence(
    { type: 'Punctuation', behavior: 'Contiguous' },
    byteLevel(true),
    { type: 'Digits', individual_digits: false },
    cutAt('[0-9][0-9][0-9]'),
  ),
};

export const preTokenizers: ReadonlyMap<string, PreTokenizer> = new Map([
  ['gpt-2', gpt2],
  ['phi-2', gpt2],
  // These have GPT-NeoX's tokenizer.
  ['mpt', { ...gpt2, normalizer: nfc }],
  ['olmo', { ...gpt2, normalizer: nfc }],
  ['smollm', gpt2Digits],
  ['starcoder', gpt2Digits],
  ['refact', gpt2Digits],
  ['falcon', falcon],
  ['codeshell', gpt2Digits],
  ['minerva-7b', gpt2Digits],
  ['llama-bpe', llama3],
  ['llama3', llama3],
  ['llama-v3', llama3],
  ['falcon3', llama3],
  ['dbrx', { ...llama3, ignoreMerges: false, addBegin: false }],
  ['smaug-bpe', { ...llama3, ignoreMerges: false, addBegin: false }],
  ['qwen2', qwen2],
  ['stablelm2', qwen2],
  ['megrez', qwen2],
  ['deepseek-r1-qwen', { ...qwen2, normalizer: null }],
  ['tekken', tekken],
  ['gpt-4o', gpt4o],
  ['llama4', gpt4o],
  ['deepseek-coder', deepseekCoder],
]);
