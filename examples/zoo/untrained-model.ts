import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TensorToWrite, writeSafetensors } from '../../model/safetensors/write-safetensors.ts';
import { toFloat16 } from '../../numbers/float16.ts';
import { normalNumbers } from '../../numbers/random.ts';
import { corpusPath, domains, untrainedDirectory } from './layout.ts';
import { type TokenizerFile, trainByteLevelBpe, trainLlamaBpe, trainUnigram } from './tokenizers.ts';
import type { ZooModel } from './zoo.ts';

export const contextLength = 256;
const hiddenSize = 128;
const intermediateSize = 344;
const layers = 4;
const heads = 4;
const keyValueHeads = 2;
const initializerRange = 0.02;

/** Learns a model's tokenizer from the corpus, and writes it with a configuration and random weights. */
export async function buildUntrainedModel(model: ZooModel): Promise<void> {
  const directory = untrainedDirectory(model.name);
  const tokens = { bos_token_id: model.beginToken, eos_token_id: model.endToken };
  await mkdir(directory, { recursive: true });
  await writeJson(join(directory, 'tokenizer.json'), await learnTokenizer(model));
  await writeJson(join(directory, 'tokenizer_config.json'), tokenizerConfig(model));
  await writeJson(join(directory, 'config.json'), { ...configuration(model.vocabularySize), ...tokens });
  await writeJson(join(directory, 'generation_config.json'), { ...tokens, do_sample: true, max_length: 256 });
  await writeSafetensors(join(directory, 'model.safetensors'), randomWeights(model));
}

function learnTokenizer({ tokenizer, tokenizerMix, vocabularySize }: ZooModel): Promise<TokenizerFile> {
  const files = domains.flatMap((domain) => Array<string>(tokenizerMix[domain]).fill(corpusPath(domain)));
  const learn = { 'byte-level-bpe': trainByteLevelBpe, 'llama-bpe': trainLlamaBpe, unigram: trainUnigram };
  return learn[tokenizer](files, vocabularySize);
}

function tokenizerConfig({ tokenizer }: ZooModel) {
  const [begin, end, unknown] = {
    'byte-level-bpe': ['<|endoftext|>', '<|endoftext|>', null],
    'llama-bpe': ['<s>', '</s>', '<unk>'],
    unigram: [null, '</s>', '<unk>'],
  }[tokenizer];
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    model_max_length: contextLength,
    clean_up_tokenization_spaces: false,
    bos_token: begin,
    eos_token: end,
    unk_token: unknown,
  };
}

function configuration(vocabularySize: number) {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: vocabularySize,
    hidden_size: hiddenSize,
    intermediate_size: intermediateSize,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keyValueHeads,
    head_dim: hiddenSize / heads,
    hidden_act: 'silu',
    max_position_embeddings: contextLength,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    rope_scaling: null,
    attention_bias: false,
    attention_dropout: 0,
    mlp_bias: false,
    initializer_range: initializerRange,
    tie_word_embeddings: true,
    torch_dtype: 'float16',
  };
}

function randomWeights({ vocabularySize, seed }: ZooModel): TensorToWrite[] {
  const random = normalNumbers(seed, initializerRange);
  const tensor = (name: string, shape: readonly number[]): TensorToWrite => {
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    // Norms begin as the identity.
    for (let i = 0; i < values.length; i++) values[i] = shape.length === 1 ? 1 : random();
    const halves = toFloat16(values);
    return { name: `model.${name}.weight`, dtype: 'F16', shape, data: new Uint8Array(halves.buffer) };
  };
  const keyValueSize = (hiddenSize / heads) * keyValueHeads;
  return [
    tensor('embed_tokens', [vocabularySize, hiddenSize]),
    ...Array.from({ length: layers }, (_, layer) => [
      tensor(`layers.${layer}.input_layernorm`, [hiddenSize]),
      tensor(`layers.${layer}.self_attn.q_proj`, [hiddenSize, hiddenSize]),
      tensor(`layers.${layer}.self_attn.k_proj`, [keyValueSize, hiddenSize]),
      tensor(`layers.${layer}.self_attn.v_proj`, [keyValueSize, hiddenSize]),
      tensor(`layers.${layer}.self_attn.o_proj`, [hiddenSize, hiddenSize]),
      tensor(`layers.${layer}.post_attention_layernorm`, [hiddenSize]),
      tensor(`layers.${layer}.mlp.gate_proj`, [intermediateSize, hiddenSize]),
      tensor(`layers.${layer}.mlp.up_proj`, [intermediateSize, hiddenSize]),
      tensor(`layers.${layer}.mlp.down_proj`, [hiddenSize, intermediateSize]),
    ]).flat(),
    tensor('norm', [hiddenSize]),
  ];
}

function writeJson(path: string, value: unknown): Promise<void> {
  return writeFile(path, `${JSON.stringify(value, null, 1)}\n`);
}
