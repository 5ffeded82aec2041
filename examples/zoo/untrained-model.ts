import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readArchitecture } from '../../model/families/read-architecture.ts';
import { writeSafetensors } from '../../model/safetensors/write-safetensors.ts';
import { gptNeox } from './families/gpt-neox.ts';
import { llama } from './families/llama.ts';
import { mpt } from './families/mpt.ts';
import { randomWeights } from './families/random-weights.ts';
import { contextLength, sizeOfZoo } from './families/size.ts';
import { corpusPath, domains } from './layout.ts';
import { type TokenizerFile, trainByteLevelBpe, trainLlamaBpe, trainUnigram } from './tokenizers.ts';
import type { ZooModel } from './zoo.ts';

const configurations = { llama, mpt, gpt_neox: gptNeox };

/** Learns a model's tokenizer from the corpus, and writes it with a configuration and random weights. */
export async function buildUntrainedModel(model: ZooModel, directory: string): Promise<void> {
  const configuration = configurations[model.family](model.vocabularySize, model.size ?? sizeOfZoo);
  const tokens = { bos_token_id: model.beginToken, eos_token_id: model.endToken };
  await mkdir(directory, { recursive: true });
  await writeJson(join(directory, 'tokenizer.json'), await learnTokenizer(model));
  await writeJson(join(directory, 'tokenizer_config.json'), tokenizerConfig(model));
  await writeJson(join(directory, 'config.json'), { ...configuration, ...tokens });
  await writeJson(join(directory, 'generation_config.json'), { ...tokens, do_sample: true, max_length: 256 });
  const weights = randomWeights(await readArchitecture(directory), model.seed);
  await writeSafetensors(join(directory, 'model.safetensors'), weights);
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

function writeJson(path: string, value: unknown): Promise<void> {
  return writeFile(path, `${JSON.stringify(value, null, 1)}\n`);
}
