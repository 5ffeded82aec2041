import type { Metadata } from './metadata.ts';
import { preTokenizers } from './pre-tokenizers.ts';
import type { TokenizerParts } from './tokenizer-parts.ts';
import type { Vocabulary } from './vocabulary.ts';

/**
 * "gpt2": byte-level BPE. Its tokens are spelt in GPT-2's byte alphabet.
 *
 * @throws FuseMeshError invalid_argument for a pre-tokenizer that we do not know
 */
export function byteLevelTokenizer(metadata: Metadata, { tokens }: Vocabulary): TokenizerParts {
  const key = 'tokenizer.ggml.pre';
  const name = metadata.optionalString(key);
  if (name === undefined)
    throw metadata.refusal(
      key,
      'is missing, without which texts are cut wrongly: take a newer file of this model',
    );
  const known = preTokenizers.get(name);
  if (known === undefined)
    throw metadata.refusal(key, `is "${name}"; known: ${[...preTokenizers.keys()].join(', ')}`);
  const merges = metadata.optionalStrings('tokenizer.ggml.merges');
  if (merges === undefined) throw metadata.refusal('tokenizer.ggml.merges', 'is missing');
  return {
    normalizer: known.normalizer,
    preTokenizer: known.preTokenizer,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      // A byte without a token is left out, as in llama.cpp.
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ...(known.ignoreMerges && { ignore_merges: true }),
      vocab: Object.fromEntries(tokens.map(({ id, text }) => [text, id])),
      merges: merges.map((merge) => merge.split(' ')),
    },
    addBegin: known.addBegin,
  };
}
