import { byteLevelTokenizer } from './byte-level-tokenizer.ts';
import type { Metadata } from './metadata.ts';
import { sentencePieceTokenizer } from './sentencepiece-tokenizer.ts';
import type { TokenizerParts } from './tokenizer-parts.ts';
import type { Token, Vocabulary } from './vocabulary.ts';

/** By `tokenizer.ggml.model`. */
const kinds: Readonly<Record<string, (metadata: Metadata, vocabulary: Vocabulary) => TokenizerParts>> = {
  gpt2: byteLevelTokenizer,
  llama: sentencePieceTokenizer,
};

/**
 * What tokenizer.json and tokenizer_config.json say.
 *
 * @param contextLength in tokens
 * @throws FuseMeshError invalid_argument for a tokenizer that we cannot write as a tokenizer.json
 */
export function tokenizerFiles(metadata: Metadata, vocabulary: Vocabulary, contextLength: number) {
  const key = 'tokenizer.ggml.model';
  const name = metadata.string(key);
  const parts = kinds[name];
  if (parts === undefined)
    throw metadata.refusal(key, `is "${name}"; supported: ${Object.keys(kinds).join(', ')}`);
  const { addBegin, ...written } = parts(metadata, vocabulary);
  const around = {
    begin: (vocabulary.addBegin ?? addBegin) ? specialToken(metadata, vocabulary, 'begin') : undefined,
    end: vocabulary.addEnd ? specialToken(metadata, vocabulary, 'end') : undefined,
  };
  return {
    tokenizer: tokenizerJson(vocabulary, written, around),
    configuration: tokenizerConfiguration(vocabulary, around, contextLength),
  };
}

/** Tokens that are put around every text. */
interface Around {
  readonly begin: Token | undefined;
  readonly end: Token | undefined;
}

function tokenizerJson(
  { tokens }: Vocabulary,
  { normalizer, preTokenizer, decoder, model }: Omit<TokenizerParts, 'addBegin'>,
  around: Around,
) {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: tokens.flatMap(({ id, text, kind }) =>
      kind === 'control' || kind === 'unknown' || kind === 'user-defined'
        ? [addedToken(id, text, kind !== 'user-defined')]
        : [],
    ),
    normalizer,
    pre_tokenizer: preTokenizer,
    post_processor: postProcessor(around),
    decoder,
    model,
  };
}

function addedToken(id: number, content: string, special: boolean) {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special };
}

function postProcessor({ begin, end }: Around) {
  if (!begin && !end) return null;
  const ofText = (id: 'A' | 'B', type_id: number) => [
    ...(begin ? [{ SpecialToken: { id: begin.text, type_id } }] : []),
    { Sequence: { id, type_id } },
    ...(end ? [{ SpecialToken: { id: end.text, type_id } }] : []),
  ];
  return {
    type: 'TemplateProcessing',
    single: ofText('A', 0),
    pair: [...ofText('A', 0), ...ofText('B', 1)],
    special_tokens: Object.fromEntries(
      [begin, end].flatMap((token) =>
        token ? [[token.text, { id: token.text, ids: [token.id], tokens: [token.text] }]] : [],
      ),
    ),
  };
}

function tokenizerConfiguration(
  { tokens, ids, chatTemplate }: Vocabulary,
  { begin, end }: Around,
  contextLength: number,
) {
  const text = (wanted: number | undefined) => tokens.find(({ id }) => id === wanted)?.text;
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    model_max_length: contextLength,
    clean_up_tokenization_spaces: false,
    ...(begin && { add_bos_token: true }),
    ...(end && { add_eos_token: true }),
    bos_token: text(ids.begin),
    eos_token: text(ids.end),
    unk_token: text(ids.unknown),
    pad_token: text(ids.padding),
    chat_template: chatTemplate,
  };
}

function specialToken(metadata: Metadata, { tokens, ids }: Vocabulary, which: 'begin' | 'end'): Token {
  const token = tokens.find(({ id }) => id === ids[which]);
  if (token) return token;
  const name = which === 'begin' ? 'bos' : 'eos';
  throw metadata.refusal(
    `tokenizer.ggml.${name}_token_id`,
    'is missing, and one is to be put around every text',
  );
}
