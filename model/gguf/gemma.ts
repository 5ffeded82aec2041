import type { GgufFile } from './gguf-file.ts';
import type { ImportedArchitecture } from './imported-architecture.ts';
import { common, llamaNames } from './llama-kind.ts';
import type { Metadata } from './metadata.ts';
import { minusOne } from './reorderings.ts';

const isNorm = (part: string): boolean => part.endsWith('norm');

const shared: Omit<ImportedArchitecture, 'config'> = {
  ...llamaNames,
  reordered: (part) => (isNorm(part) ? minusOne : undefined),
};

/** With norms behind each part of a block too. */
const later: Omit<ImportedArchitecture, 'config'> = {
  ...shared,
  blockParts: {
    ...llamaNames.blockParts,
    post_attention_norm: 'post_attention_layernorm',
    ffn_norm: 'pre_feedforward_layernorm',
    post_ffw_norm: 'post_feedforward_layernorm',
  },
};

export const gemma: ImportedArchitecture = {
  ...shared,
  config: (file, metadata) => ({
    architectures: ['GemmaForCausalLM'],
    model_type: 'gemma',
    ...common(file, metadata, 'gemma'),
    hidden_act: 'gelu_pytorch_tanh',
  }),
};

export const gemma2: ImportedArchitecture = {
  ...later,
  config: (file, metadata) => ({
    architectures: ['Gemma2ForCausalLM'],
    model_type: 'gemma2',
    ...laterConfig(file, metadata, 'gemma2', 46),
    attn_logit_softcapping: metadata.optionalNumber('gemma2.attn_logit_softcapping') ?? 50,
    final_logit_softcapping: metadata.optionalNumber('gemma2.final_logit_softcapping') ?? 30,
    sliding_window: metadata.optionalNumber('gemma2.attention.sliding_window') ?? 4096,
    ...layerTypes(metadata, 'gemma2', (index) => index % 2 === 0),
  }),
};

export const gemma3: ImportedArchitecture = {
  ...later,
  config: (file, metadata) => {
    const window = metadata.optionalNumber('gemma3.attention.sliding_window') ?? 0;
    const pattern = metadata.optionalNumber('gemma3.attention.sliding_window_pattern') ?? 6;
    return {
      architectures: ['Gemma3ForCausalLM'],
      model_type: 'gemma3_text',
      ...laterConfig(file, metadata, 'gemma3', 62),
      rope_local_base_freq: metadata.optionalNumber('gemma3.rope.freq_base_swa') ?? 10_000,
      final_logit_softcapping: metadata.optionalNumber('gemma3.final_logit_softcapping') ?? null,
      sliding_window: window === 0 ? null : window,
      ...layerTypes(metadata, 'gemma3', (index) => window !== 0 && (index + 1) % pattern !== 0),
    };
  },
};

/** @param largest how many layers the model of 27 billion parameters has */
function laterConfig(file: GgufFile, metadata: Metadata, architecture: string, largest: number) {
  const config = common(file, metadata, architecture);
  const { hidden_act: _, ...rest } = config;
  const [width, heads, layers] = ['embedding_length', 'attention.head_count', 'block_count'].map((name) =>
    metadata.number(`${architecture}.${name}`),
  );
  return {
    ...rest,
    hidden_activation: 'gelu_pytorch_tanh',
    // A GGUF does not say; llama.cpp tells by the number of layers.
    query_pre_attn_scalar: layers === largest ? Math.floor(width / heads) : config['head_dim'],
  };
}

const layerTypes = (metadata: Metadata, architecture: string, hasWindow: (index: number) => boolean) => ({
  layer_types: Array.from({ length: metadata.number(`${architecture}.block_count`) }, (_, index) =>
    hasWindow(index) ? 'sliding_attention' : 'full_attention',
  ),
});
