import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LlamaSizes } from '../../bench/random-llama.ts';
import { type TrainingBatch, textsAlone } from '../../engine/training-batch.ts';
import { readArchitecture } from '../../model/families/read-architecture.ts';
import { parameterCount } from '../../model/families/weight-shapes.ts';
import { elementCount } from '../../model/graph/shape.ts';
import { writeSafetensors } from '../../model/safetensors/write-safetensors.ts';
import { toBfloat16 } from '../../numbers/bfloat16.ts';
import { uniformNumbers } from '../../numbers/random.ts';

/** A Llama of some size, and how much it is trained on and scores at once. */
export interface SizedLlama {
  readonly name: string;
  readonly sizes: LlamaSizes;
  readonly documents: number;
  /** Tokens of each document. */
  readonly length: number;
}

/** The sizes of GPT-2 small, and of TinyLlama. */
export const largeLlamas: readonly SizedLlama[] = [
  {
    name: '125 M',
    documents: 8,
    length: 1024,
    sizes: {
      vocab_size: 32_000,
      hidden_size: 768,
      intermediate_size: 2048,
      num_hidden_layers: 12,
      num_attention_heads: 12,
      num_key_value_heads: 12,
      max_position_embeddings: 2048,
    },
  },
  {
    name: '1 B',
    documents: 2,
    length: 2048,
    sizes: {
      vocab_size: 32_000,
      hidden_size: 2048,
      intermediate_size: 5632,
      num_hidden_layers: 22,
      num_attention_heads: 32,
      num_key_value_heads: 4,
      max_position_embeddings: 2048,
    },
  },
];

/** For a device that is none: software, or the processor. */
export const smallLlamas: readonly SizedLlama[] = [
  {
    name: '0.1 M',
    documents: 2,
    length: 64,
    sizes: {
      vocab_size: 256,
      hidden_size: 64,
      intermediate_size: 128,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      max_position_embeddings: 64,
    },
  },
];

/** A Llama in a directory of its own. */
export interface WrittenLlama extends SizedLlama {
  readonly directory: string;
  readonly parameters: number;
}

/**
 * Random values of which all tensors are made, one from the start, the next from a bit further on. Weights of a billion
 * different numbers would take longer to make than to train.
 */
const poolLength = 2 ** 20 + 7;

/** Writes config.json and random bfloat16 weights into a new folder in a folder. */
export async function writeLlama(llama: SizedLlama, parent: string): Promise<WrittenLlama> {
  const directory = await mkdtemp(join(parent, 'llama-'));
  const config = {
    model_type: 'llama',
    architectures: ['LlamaForCausalLM'],
    tie_word_embeddings: false,
    rms_norm_eps: 1e-5,
    torch_dtype: 'bfloat16',
    bos_token_id: 1,
    eos_token_id: 2,
    ...llama.sizes,
  };
  await writeFile(join(directory, 'config.json'), JSON.stringify(config));
  const { weights } = await readArchitecture(directory);
  const counts = [...weights.values()].map(elementCount);
  const random = uniformNumbers(1);
  // As wide as the normal distribution of Llama's initial weights.
  const values = Float32Array.from({ length: poolLength }, () => (random() - 0.5) * 0.07);
  const matrices = repeated(toBfloat16(values), Math.max(...counts) + counts.length);
  const ones = toBfloat16(new Float32Array(llama.sizes.hidden_size).fill(1));
  const tensors = [...weights].map(([name, shape], i) => {
    const data = shape.length === 1 ? ones : matrices.subarray(i, i + counts[i]);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return { name, dtype: 'BF16' as const, shape, data: bytes };
  });
  await writeSafetensors(join(directory, 'model.safetensors'), tensors);
  return { ...llama, directory, parameters: parameterCount(weights) };
}

function repeated(values: Uint16Array, length: number): Uint16Array<ArrayBuffer> {
  const all = new Uint16Array(length);
  for (let i = 0; i < length; i += values.length) all.set(values.subarray(0, length - i), i);
  return all;
}

/** Token ids for a Llama to be trained on and to score: as many documents as it takes, of its length. */
export function randomTexts({ documents, length, sizes }: SizedLlama): Int32Array<ArrayBuffer>[] {
  const random = uniformNumbers(2);
  const id = () => Math.floor(random() * sizes.vocab_size);
  return Array.from({ length: documents }, () => Int32Array.from({ length }, id));
}

/** The texts with a fused distribution at every position, over candidates that are all different. */
export function fusedBatch(
  texts: readonly Int32Array[],
  candidates: number,
  { vocab_size }: Pick<LlamaSizes, 'vocab_size'>,
): TrainingBatch {
  const { inputIds, labels, ...batch } = textsAlone(texts, candidates);
  const fusedIds = batch.fusedIds.map((_, i) => {
    const first = inputIds[Math.floor(i / candidates)];
    return (first + 7 * (i % candidates)) % vocab_size;
  });
  const fusedProbabilities = batch.fusedProbabilities.map(() => 1 / candidates);
  return { ...batch, inputIds, labels, fusedIds, fusedProbabilities };
}

/**
 * Floating point operations of training a token: 6 for every weight that is multiplied with, which the table of the
 * embeddings is not, and for attention 12 · layers · width · context (Chowdhery et al. 2022, appendix B).
 */
export function trainingOperations({ sizes, length, parameters }: WrittenLlama): number {
  const { vocab_size, hidden_size, num_hidden_layers } = sizes;
  return 6 * (parameters - vocab_size * hidden_size) + 12 * num_hidden_layers * hidden_size * length;
}
