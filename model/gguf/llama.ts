import type { ImportedArchitecture } from './imported-architecture.ts';
import { common, llamaNames, pairsOf } from './llama-kind.ts';
import type { Metadata } from './metadata.ts';

/** Llama, and Mistral, which llama.cpp does not tell apart but for a window. */
export const llama: ImportedArchitecture = {
  ...llamaNames,
  config: (file, metadata) => {
    const window = metadata.optionalNumber('llama.attention.sliding_window');
    const shared = common(file, metadata, 'llama');
    if (window !== undefined) {
      return {
        architectures: ['MistralForCausalLM'],
        model_type: 'mistral',
        ...shared,
        sliding_window: window,
      };
    }
    return {
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      ...shared,
      attention_bias: file.tensors.has('blk.0.attn_q.bias'),
      attention_dropout: 0,
      mlp_bias: file.tensors.has('blk.0.ffn_up.bias'),
    };
  },
  reordered: pairsOf('llama'),
};

export const qwen2: ImportedArchitecture = {
  ...llamaNames,
  config: (file, metadata) => {
    refuseWindow(metadata, 'qwen2');
    return { architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2', ...common(file, metadata, 'qwen2') };
  },
};

export const qwen3: ImportedArchitecture = {
  ...llamaNames,
  config: (file, metadata) => {
    refuseWindow(metadata, 'qwen3');
    return {
      architectures: ['Qwen3ForCausalLM'],
      model_type: 'qwen3',
      ...common(file, metadata, 'qwen3'),
      attention_bias: file.tensors.has('blk.0.attn_q.bias'),
    };
  },
};

/** Qwen's window is no part of our families: a file whose window its context never reaches has none. */
function refuseWindow(metadata: Metadata, architecture: string): void {
  const key = `${architecture}.attention.sliding_window`;
  const window = metadata.optionalNumber(key);
  if (window !== undefined && window < metadata.number(`${architecture}.context_length`))
    throw metadata.refusal(key, `is ${window}: attention in a window is not supported`);
}
