import type { GgufMetadata } from './gguf-metadata.ts';

/** What tokenizer.json says: byte-level BPE in which every digit is a token, nothing put around a text. */
export function tokenizerJson({ tokens, tokenTypes, merges }: GgufMetadata) {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: tokens.flatMap((content, id) =>
      tokenTypes[id] === 'control' ? [controlToken(id, content)] : [],
    ),
    normalizer: null,
    // What "smollm" means in llama.cpp: GPT-2's words, cut at digits.
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel],
    },
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      // 21 bytes have no token. As in llama.cpp, they are left out.
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map((merge) => merge.split(' ')),
    },
  };
}

function controlToken(id: number, content: string) {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

/** What tokenizer_config.json says. */
export function tokenizerConfiguration(metadata: GgufMetadata) {
  const { tokens } = metadata;
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    model_max_length: metadata.contextLength,
    clean_up_tokenization_spaces: false,
    bos_token: tokens[metadata.beginToken],
    eos_token: tokens[metadata.endToken],
    unk_token: tokens[metadata.unknownToken],
    pad_token: tokens[metadata.paddingToken],
    chat_template: metadata.chatTemplate,
  };
}
