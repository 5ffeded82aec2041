import { embeddingRows } from './embedding-rows.ts';
import type { GgufFile } from './gguf-file.ts';
import type { ImportedArchitecture } from './imported-architecture.ts';
import type { Metadata } from './metadata.ts';
import { halvesFromPairs } from './reorderings.ts';
import { scalingOf } from './rotary-scaling.ts';

/** Names of the parts of a Llama; families of its kind have others beside or in place of them. */
export const llamaNames = {
  modelParts: { token_embd: 'model.embed_tokens', output_norm: 'model.norm', output: 'lm_head' },
  blockParts: {
    attn_norm: 'input_layernorm',
    attn_q: 'self_attn.q_proj',
    attn_k: 'self_attn.k_proj',
    attn_v: 'self_attn.v_proj',
    attn_output: 'self_attn.o_proj',
    attn_q_norm: 'self_attn.q_norm',
    attn_k_norm: 'self_attn.k_norm',
    ffn_norm: 'post_attention_layernorm',
    ffn_gate: 'mlp.gate_proj',
    ffn_up: 'mlp.up_proj',
    ffn_down: 'mlp.down_proj',
  },
  blockPath: (index: string) => `model.layers.${index}`,
} as const;

/** What config.json says of a model of Llama's kind, all of whose norms are RMSNorms and whose heads are rotated wholly. */
export function common(file: GgufFile, metadata: Metadata, architecture: string): Record<string, unknown> {
  const { rotated, headSize, ...sizes } = sizesOf(file, metadata, architecture);
  if (rotated !== headSize)
    throw metadata.refusal(
      `${architecture}.rope.dimension_count`,
      `is ${rotated}, and a head has ${headSize} values`,
    );
  return {
    ...sizes,
    head_dim: headSize,
    hidden_act: 'silu',
    rms_norm_eps: metadata.number(`${architecture}.attention.layer_norm_rms_epsilon`),
    rope_theta: baseOf(metadata, architecture),
    rope_scaling: scalingOf(metadata, architecture),
  };
}

/**
 * The sizes that config.json has of such a model, and of each head, and how much of it is rotated.
 *
 * @param options.isPartly whether that may be a part; else a file that lacks the size of a head says it by this
 */
export function sizesOf(
  file: GgufFile,
  metadata: Metadata,
  architecture: string,
  { isPartly = false }: { readonly isPartly?: boolean } = {},
) {
  const key = (name: string) => `${architecture}.${name}`;
  const hiddenSize = metadata.number(key('embedding_length'));
  const heads = metadata.number(key('attention.head_count'));
  const given = metadata.optionalNumber(key('rope.dimension_count'));
  const usual = (isPartly ? undefined : given) ?? hiddenSize / heads;
  const headSize = metadata.optionalNumber(key('attention.key_length')) ?? usual;
  const valueSize = metadata.optionalNumber(key('attention.value_length')) ?? headSize;
  if (valueSize !== headSize)
    throw metadata.refusal(
      key('attention.value_length'),
      `is ${valueSize}, and keys have ${headSize} values`,
    );
  return {
    vocab_size: embeddingRows(file),
    hidden_size: hiddenSize,
    intermediate_size: metadata.number(key('feed_forward_length')),
    num_hidden_layers: metadata.number(key('block_count')),
    num_attention_heads: heads,
    num_key_value_heads: metadata.optionalNumber(key('attention.head_count_kv')) ?? heads,
    max_position_embeddings: metadata.number(key('context_length')),
    headSize,
    rotated: given ?? headSize,
  };
}

/** rope_theta. */
export const baseOf = (metadata: Metadata, architecture: string): number =>
  metadata.optionalNumber(`${architecture}.rope.freq_base`) ?? 10_000;

/** The order of rows in architectures of which llama.cpp rotates pairs of neighbours. */
export const pairsOf =
  (architecture: string): NonNullable<ImportedArchitecture['reordered']> =>
  (part, metadata) => {
    const heads = metadata.number(`${architecture}.attention.head_count`);
    if (part === 'attn_q') return halvesFromPairs(heads);
    if (part !== 'attn_k') return undefined;
    return halvesFromPairs(metadata.optionalNumber(`${architecture}.attention.head_count_kv`) ?? heads);
  };
