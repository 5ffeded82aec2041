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
