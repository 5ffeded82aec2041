import { embeddingRows } from './embedding-rows.ts';
import type { ImportedArchitecture } from './imported-architecture.ts';

export const mpt: ImportedArchitecture = {
  config: (file, metadata) => {
    const width = metadata.number('mpt.embedding_length');
    const inner = metadata.number('mpt.feed_forward_length');
    const heads = metadata.number('mpt.attention.head_count');
    const keyValueHeads = metadata.optionalNumber('mpt.attention.head_count_kv') ?? heads;
    if (keyValueHeads !== heads)
      throw metadata.refusal(
        'mpt.attention.head_count_kv',
        `is ${keyValueHeads}: it must be ${heads}, one a head`,
      );
    return {
      architectures: ['MptForCausalLM'],
      model_type: 'mpt',
      vocab_size: embeddingRows(file),
      d_model: width,
      n_heads: heads,
      n_layers: metadata.number('mpt.block_count'),
      expansion_ratio: inner / width,
      max_seq_len: metadata.number('mpt.context_length'),
      layer_norm_epsilon: metadata.number('mpt.attention.layer_norm_epsilon'),
      no_bias: true,
      attn_config: {
        alibi: true,
        alibi_bias_max: metadata.number('mpt.attention.max_alibi_bias'),
        clip_qkv: metadata.optionalNumber('mpt.attention.clamp_kqv') ?? null,
      },
    };
  },
  modelParts: { token_embd: 'transformer.wte', output_norm: 'transformer.norm_f', output: 'lm_head' },
  blockParts: {
    attn_norm: 'norm_1',
    attn_qkv: 'attn.Wqkv',
    attn_output: 'attn.out_proj',
    ffn_norm: 'norm_2',
    ffn_up: 'ffn.up_proj',
    ffn_down: 'ffn.down_proj',
  },
  blockPath: (index) => `transformer.blocks.${index}`,
};
