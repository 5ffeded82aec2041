import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readArchitecture } from '../model/families/read-architecture.ts';
import { writeSafetensors } from '../model/safetensors/write-safetensors.ts';
import { createRandom } from '../test/support/random.ts';

/** Sizes of a Llama, in config.json's words. */
export interface LlamaSizes {
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly max_position_embeddings: number;
}

/** Those of the zoo's models, 1.1 M parameters, for a context. */
export const zooSizes = (context: number): LlamaSizes => ({
  vocab_size: 3000,
  hidden_size: 128,
  intermediate_size: 344,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: context,
});

/** 29 M parameters. */
export const largerSizes = (context: number): LlamaSizes => ({
  vocab_size: 8000,
  hidden_size: 512,
  intermediate_size: 1376,
  num_hidden_layers: 8,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  max_position_embeddings: context,
});

/** Writes config.json and random weights into an existing directory. */
export async function writeRandomLlama(directory: string, sizes: LlamaSizes): Promise<void> {
  const config = {
    model_type: 'llama',
    architectures: ['LlamaForCausalLM'],
    tie_word_embeddings: true,
    ...sizes,
  };
  await writeFile(join(directory, 'config.json'), JSON.stringify(config));
  const random = createRandom(1);
  const { weights } = await readArchitecture(directory);
  const tensors = [...weights].map(([name, shape]) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const values = Float32Array.from({ length: count }, () =>
      shape.length === 1 ? 1 : (random() - 0.5) * 0.07,
    );
    return { name, dtype: 'F32' as const, shape, data: new Uint8Array(values.buffer) };
  });
  await writeSafetensors(join(directory, 'model.safetensors'), tensors);
}
