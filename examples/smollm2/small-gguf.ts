import { buildGgufHeader, GGMLQuantizationType, GGUFValueType } from '@huggingface/gguf';

const { F32, Q4_1, Q8_0 } = GGMLQuantizationType;
const { ARRAY, BOOL, FLOAT32, INT32, STRING, UINT32 } = GGUFValueType;
const tokens = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', 'a', 'b', 'Ġ', 'ab', '1', '2', '12'];
const merges = ['a b', '1 2'];

/** A GGUF like SmolLM2's, with one layer of width 32 and weights that look random. */
export async function smallGguf(): Promise<Uint8Array> {
  const matrix = { shape: [32, 32], type: Q4_1, bytes: 32 * 20 };
  const norm = { shape: [32], type: F32, bytes: 32 * 4 };
  const keyValue = { shape: [32, 16], type: Q4_1, bytes: 16 * 20 };
  const tensors = {
    token_embd: { shape: [32, tokens.length], type: Q8_0, bytes: tokens.length * 34 },
    output_norm: norm,
    'blk.0.attn_q': matrix,
    'blk.0.attn_k': keyValue,
    'blk.0.attn_v': keyValue,
    'blk.0.attn_output': matrix,
    'blk.0.attn_norm': norm,
    'blk.0.ffn_gate': matrix,
    'blk.0.ffn_up': matrix,
    'blk.0.ffn_down': matrix,
    'blk.0.ffn_norm': norm,
  };

  const infos: Buffer[] = [];
  const data: Buffer[] = [];
  let offset = 0;
  for (const [name, { shape, type, bytes }] of Object.entries(tensors)) {
    const padded = Math.ceil(bytes / 32) * 32;
    const text = Buffer.from(`${name}.weight`);
    infos.push(uint64(text.length), text, uint32(shape.length), ...shape.map(uint64));
    infos.push(uint32(type), uint64(offset));
    data.push(Buffer.concat([contentOf(type, bytes)], padded));
    offset += padded;
  }
  const infoBytes = new Uint8Array(Buffer.concat(infos));

  const ids = { bos: 1, eos: 2, unknown: 0, padding: 2 };
  const header = await buildGgufHeader(
    new Blob([infoBytes]),
    {
      version: { value: 3, type: UINT32 },
      tensor_count: { value: BigInt(Object.keys(tensors).length), type: GGUFValueType.UINT64 },
      kv_count: { value: 0n, type: GGUFValueType.UINT64 },
      'general.architecture': { value: 'llama', type: STRING },
      'llama.block_count': { value: 1, type: UINT32 },
      'llama.context_length': { value: 16, type: UINT32 },
      'llama.embedding_length': { value: 32, type: UINT32 },
      'llama.feed_forward_length': { value: 32, type: UINT32 },
      'llama.attention.head_count': { value: 2, type: UINT32 },
      'llama.attention.head_count_kv': { value: 1, type: UINT32 },
      'llama.attention.layer_norm_rms_epsilon': { value: 1e-5, type: FLOAT32 },
      'llama.rope.freq_base': { value: 1000, type: FLOAT32 },
      'llama.rope.dimension_count': { value: 16, type: UINT32 },
      'tokenizer.ggml.model': { value: 'gpt2', type: STRING },
      'tokenizer.ggml.pre': { value: 'smollm', type: STRING },
      'tokenizer.ggml.add_bos_token': { value: false, type: BOOL },
      'tokenizer.ggml.add_space_prefix': { value: false, type: BOOL },
      'tokenizer.ggml.tokens': { value: tokens, type: ARRAY, subType: STRING },
      'tokenizer.ggml.token_type': {
        value: tokens.map((_, id) => (id < 3 ? 3 : 1)),
        type: ARRAY,
        subType: INT32,
      },
      'tokenizer.ggml.merges': { value: merges, type: ARRAY, subType: STRING },
      ...Object.fromEntries(
        Object.entries(ids).map(([name, value]) => [
          `tokenizer.ggml.${name}_token_id`,
          { value, type: UINT32 },
        ]),
      ),
      'tokenizer.chat_template': { value: '{{ messages }}', type: STRING },
    },
    { littleEndian: true, tensorInfoByteRange: [0, infoBytes.length] },
  );
  return Buffer.concat([Buffer.from(await header.arrayBuffer()), ...data]);
}

/** Ones in float32, or blocks of 2^-7 times numbers that look random, less 0.06 in Q4_1. */
function contentOf(type: GGMLQuantizationType, length: number): Buffer {
  if (type === F32) return Buffer.from(new Float32Array(length / 4).fill(1).buffer);
  const bytes = Buffer.from(Uint8Array.from({ length }, (_, i) => Math.imul(i + length, 0x9e3779b1) >>> 24));
  const scale = 0x2000;
  const minimum = 0xabae;
  for (let at = 0; at < length; at += type === Q4_1 ? 20 : 34) {
    bytes.writeUInt16LE(scale, at);
    if (type === Q4_1) bytes.writeUInt16LE(minimum, at + 2);
  }
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
