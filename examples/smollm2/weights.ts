import type { TensorToWrite } from '../../model/safetensors/write-safetensors.ts';
import type { GgufFile, GgufTensor } from './gguf-file.ts';

/** Hugging Face's names for the parts of a GGUF of the Llama architecture. */
const modelParts: Readonly<Record<string, string>> = {
  token_embd: 'embed_tokens',
  output_norm: 'norm',
};
const layerParts: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

/** All weights of a model as Hugging Face has them, in float32, which alone holds every value as it is. */
export async function readWeights(file: GgufFile): Promise<TensorToWrite[]> {
  const weights: TensorToWrite[] = [];
  for (const tensor of file.tensors) {
    const values = await readInOrder(file, tensor);
    weights.push({
      name: huggingFaceName(tensor.name),
      dtype: 'F32',
      shape: tensor.shape,
      data: new Uint8Array(values.buffer),
    });
  }
  return weights;
}

async function readInOrder(file: GgufFile, tensor: GgufTensor): Promise<Float32Array<ArrayBuffer>> {
  const values = await file.readFloat32(tensor);
  const { heads, keyValueHeads } = file.metadata;
  if (tensor.name.endsWith('.attn_q.weight')) return halvesFromPairs(values, tensor.shape[1], heads);
  if (tensor.name.endsWith('.attn_k.weight')) return halvesFromPairs(values, tensor.shape[1], keyValueHeads);
  return values;
}

/**
 * Puts the rows of a query or key matrix into Hugging Face's order. What a head rotates together are its rows
 * 2i and 2i + 1 in a GGUF of the Llama architecture, and i and i + half in Hugging Face (undo of `permute` in
 * llama.cpp's converter; LlamaTensorProcessor in transformers does the same).
 *
 * @param values [rows × columns], row by row
 * @param heads how many heads share the rows
 */
export function halvesFromPairs(
  values: Float32Array,
  columns: number,
  heads: number,
): Float32Array<ArrayBuffer> {
  const half = values.length / columns / heads / 2;
  const ordered = new Float32Array(values.length);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < half; i++) {
      for (let side = 0; side < 2; side++) {
        const from = (head * 2 * half + 2 * i + side) * columns;
        const to = (head * 2 * half + side * half + i) * columns;
        ordered.set(values.subarray(from, from + columns), to);
      }
    }
  }
  return ordered;
}

/**
 * `blk.3.attn_q.weight` is `model.layers.3.self_attn.q_proj.weight`.
 *
 * @throws RangeError for a name that no Llama model with a tied head has
 */
export function huggingFaceName(name: string): string {
  const [, layer, part] = /^(?:blk\.(\d+)\.)?(\w+)\.weight$/.exec(name) ?? [];
  const known = (layer === undefined ? modelParts : layerParts)[part];
  if (known === undefined) throw new RangeError(`${name} is no weight of a Llama model with a tied head`);
  return layer === undefined ? `model.${known}.weight` : `model.layers.${layer}.${known}.weight`;
}
