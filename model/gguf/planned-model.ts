import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Architecture } from '../families/architecture.ts';
import { architectureOf } from '../families/read-architecture.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import { falcon } from './falcon.ts';
import { gemma, gemma2, gemma3 } from './gemma.ts';
import type { GgufFile } from './gguf-file.ts';
import { gptNeox } from './gpt-neox.ts';
import { gpt2 } from './gpt2.ts';
import { granite } from './granite.ts';
import type { GgufValue } from './header.ts';
import type { ImportedArchitecture, ModelConfig } from './imported-architecture.ts';
import { llama, qwen2, qwen3 } from './llama.ts';
import { Metadata } from './metadata.ts';
import { mpt } from './mpt.ts';
import { olmo2 } from './olmo2.ts';
import { phi3 } from './phi3.ts';
import { type PlannedWeight, plannedWeights, rotaryFactors, valuesOf } from './planned-weights.ts';
import { llama3Scaling } from './rotary-scaling.ts';
import { smollm3 } from './smollm3.ts';
import { stablelm } from './stablelm.ts';
import { starcoder2 } from './starcoder2.ts';
import { tokenizerFiles } from './tokenizer-files.ts';
import { idsForConfiguration, readVocabulary } from './vocabulary.ts';

/** By `general.architecture`. */
const architectures: Readonly<
  Record<string, ImportedArchitecture | ((file: GgufFile) => ImportedArchitecture)>
> = {
  llama,
  qwen2,
  qwen3,
  gemma,
  gemma2,
  gemma3,
  phi3,
  olmo2,
  smollm3,
  granite,
  starcoder2,
  stablelm,
  falcon,
  gpt2,
  gptneox: gptNeox,
  mpt,
};

/** Keys of an architecture that change nothing that it computes, with these values at least. */
const harmless: Readonly<Record<string, (value: GgufValue) => boolean>> = {
  vocab_size: () => true,
  tensor_data_layout: () => true,
  'attention.causal': (value) => value === true,
  expert_count: (value) => value === 0,
  expert_used_count: (value) => value === 0,
};

/** A GGUF's model as a Hugging Face directory has it; nothing is written yet. */
export interface PlannedModel {
  readonly architecture: Architecture;
  /** What stands in the directory besides the weights, by the files' names. */
  readonly jsonFiles: Readonly<Record<string, object>>;
  /** In the order of the GGUF. */
  readonly weights: readonly PlannedWeight[];
}

/**
 * Works out what a GGUF becomes.
 *
 * @throws FuseMeshError invalid_argument for what cannot be converted, by its name
 */
export async function plannedModel(file: GgufFile): Promise<PlannedModel> {
  const metadata = new Metadata(file);
  refuseParts(metadata);
  const key = 'general.architecture';
  const name = metadata.string(key);
  const known = architectures[name];
  if (known === undefined)
    throw metadata.refusal(key, `is "${name}"; supported: ${Object.keys(architectures).join(', ')}`);

  const imported = typeof known === 'function' ? known(file) : known;
  const vocabulary = readVocabulary(metadata);
  const config = {
    ...(await withRotaryFactors(file, metadata, name, await imported.config(file, metadata))),
    tie_word_embeddings: !file.tensors.has('output.weight'),
    torch_dtype: 'float32',
    ...idsForConfiguration(vocabulary.ids),
  };
  refuseUnread(file, metadata, `${name}.`);
  const architecture = architectureOf(config, `The config.json made of ${file.path}`);
  const weights = plannedWeights(file, metadata, imported, architecture);
  const tokenizer = tokenizerFiles(metadata, vocabulary, metadata.number(`${name}.context_length`));
  // The library that will read it has the last word.
  Tokenizer.fromJson(
    JSON.stringify(tokenizer.tokenizer),
    `The tokenizer.json made of ${file.path}`,
  ).expectModelOf(architecture.vocabularySize, file.path);
  return {
    architecture,
    weights,
    jsonFiles: {
      'config.json': config,
      'generation_config.json': idsForConfiguration(vocabulary.ids),
      'tokenizer.json': tokenizer.tokenizer,
      'tokenizer_config.json': tokenizer.configuration,
    },
  };
}

/** Files that are no whole model. */
function refuseParts(metadata: Metadata): void {
  const parts = metadata.optionalNumber('split.count') ?? 1;
  if (parts > 1)
    throw metadata.refusal(
      'split.count',
      `is ${parts}: the model is split over as many files; join them first (llama-gguf-split --merge)`,
    );
  const type = metadata.optionalString('general.type') ?? 'model';
  if (type !== 'model')
    throw metadata.refusal('general.type', `is "${type}": only whole models can be imported`);
}

/** Llama 3's scaling stands in a tensor; config.json has it in numbers. */
async function withRotaryFactors(
  file: GgufFile,
  metadata: Metadata,
  name: string,
  config: ModelConfig,
): Promise<ModelConfig> {
  const tensor = file.tensors.get(rotaryFactors);
  if (tensor === undefined) return config;
  const scaling = llama3Scaling(await valuesOf(file, tensor), {
    base: metadata.optionalNumber(`${name}.rope.freq_base`) ?? 10_000,
    contextLength: metadata.number(`${name}.context_length`),
  });
  if (scaling === undefined || config['rope_scaling'] !== null)
    throw new FuseMeshError(
      'invalid_argument',
      `${file.path}: the tensor ${rotaryFactors} stretches positions in a way that FuseMesh does not know.`,
    );
  return { ...config, rope_scaling: scaling };
}

/** What a file says of its architecture changes what it computes: whatever we do not use is refused. */
function refuseUnread(file: GgufFile, metadata: Metadata, prefix: string): void {
  const unknown = metadata
    .unread(prefix)
    .map((key) => ({ key, value: file.metadata.get(key)! }))
    .filter(({ key, value }) => !harmless[key.slice(prefix.length)]?.(value));
  if (unknown.length === 0) return;
  const said = unknown.map(({ key, value }) => `${key} = ${JSON.stringify(value).slice(0, 60)}`);
  throw new FuseMeshError(
    'invalid_argument',
    `${file.path}: FuseMesh does not know what its metadata mean by ${said.join(', ')}: the model would not compute the same.`,
  );
}
