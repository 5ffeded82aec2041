import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ZodError } from 'zod';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { insteadOfModel } from '../instead-of-a-model.ts';
import { openModelTensors } from '../safetensors/model-tensors.ts';
import type { Architecture } from './architecture.ts';
import { expertConfigs } from './expert-configs.ts';
import { falcon } from './falcon.ts';
import { gemmaConfigs } from './gemma.ts';
import { gptNeox } from './gpt-neox.ts';
import { gpt2 } from './gpt2.ts';
import { graniteConfig } from './granite.ts';
import { llama } from './llama.ts';
import { llamaConfigs } from './llama-config.ts';
import { mpt } from './mpt.ts';
import { olmo2Config } from './olmo2.ts';
import { phi3Config } from './phi3.ts';
import { smollm3Config } from './smollm3.ts';
import { stablelmConfig } from './stablelm.ts';
import { starcoder2Config } from './starcoder2.ts';

/** What can be done with a model of another family. */
const onnxInstead =
  'An ONNX export of the model can teach: `optimum-cli export onnx --model MODEL --task text-generation DIRECTORY`, and ' +
  'give DIRECTORY in place of the model';

/** Architectures by the model_type of config.json. */
const families: Readonly<Record<string, (configJson: unknown) => Architecture>> = {
  llama: llama('llama', llamaConfigs.llama),
  mistral: llama('mistral', llamaConfigs.mistral),
  qwen2: llama('qwen2', llamaConfigs.qwen2),
  qwen3: llama('qwen3', llamaConfigs.qwen3),
  gemma: llama('gemma', gemmaConfigs.gemma),
  gemma2: llama('gemma2', gemmaConfigs.gemma2),
  gemma3_text: llama('gemma3_text', gemmaConfigs.gemma3_text),
  phi3: llama('phi3', phi3Config),
  olmo2: llama('olmo2', olmo2Config),
  smollm3: llama('smollm3', smollm3Config),
  granite: llama('granite', graniteConfig),
  starcoder2: llama('starcoder2', starcoder2Config),
  stablelm: llama('stablelm', stablelmConfig),
  mixtral: llama('mixtral', expertConfigs.mixtral),
  qwen3_moe: llama('qwen3_moe', expertConfigs.qwen3_moe),
  falcon,
  mpt,
  gpt2,
  gpt_neox: gptNeox,
};

/**
 * Reads the config.json of a Hugging Face directory.
 *
 * @throws FuseMeshError not_found when there is none, invalid_argument when we cannot build its model
 */
export async function readArchitecture(directory: string): Promise<Architecture> {
  return (await readConfig(directory)).architecture;
}

/**
 * The same of a model that is to be trained.
 *
 * @throws FuseMeshError as {@link readArchitecture}, and invalid_argument for one that can only teach
 */
export async function readTrainable(directory: string): Promise<Architecture> {
  const architecture = await readArchitecture(directory);
  const { family, trainingProblem } = architecture;
  if (trainingProblem === undefined) return architecture;
  throw new FuseMeshError(
    'invalid_argument',
    `${directory} is a ${family}: it can teach and generate, but not be trained, since ${trainingProblem}; name another target, and this model as a teacher`,
  );
}

/**
 * The config.json of a Hugging Face directory and its architecture. Where it ties the head to the embedding and the files
 * hold another head, the head counts, as in transformers 5; the config is then corrected.
 *
 * @throws FuseMeshError as {@link readArchitecture}, and data_loss where the weights are damaged
 */
export async function readConfig(directory: string): Promise<{
  readonly config: { readonly model_type?: unknown };
  readonly architecture: Architecture;
  readonly isCorrected: boolean;
}> {
  const path = join(directory, 'config.json');
  const config = parse(await read(path), path);
  const architecture = architectureOf(config, path);
  if (!(await hasAnotherHead(directory, architecture))) return { config, architecture, isCorrected: false };
  const untied = { ...config, tie_word_embeddings: false };
  return { config: untied, architecture: architectureOf(untied, path), isCorrected: true };
}

/** Whether a model whose head is tied by its config.json has a head in its files that is not the embedding. */
async function hasAnotherHead(
  directory: string,
  { tiedHead, baseModelPrefix }: Architecture,
): Promise<boolean> {
  if (tiedHead === undefined) return false;
  const source = await openModelTensors(directory).catch((error: unknown) => {
    // A configuration alone, or an exported model.
    if (error instanceof FuseMeshError && error.code === 'not_found') return undefined;
    throw error;
  });
  try {
    const { head, embedding } = tiedHead;
    const stored = [embedding, embedding.slice(baseModelPrefix.length)].find((name) =>
      source?.tensors.has(name),
    );
    if (source === undefined || stored === undefined || !source.tensors.has(head)) return false;
    const [one, other] = [await source.readFloat32(stored), await source.readFloat32(head)];
    return Buffer.compare(new Uint8Array(one.buffer), new Uint8Array(other.buffer)) !== 0;
  } finally {
    await source?.close();
  }
}

/**
 * The architecture that a config.json describes.
 *
 * @param path what to call it in an error message
 * @throws FuseMeshError invalid_argument when we cannot build its model
 */
export function architectureOf(config: { readonly model_type?: unknown }, path: string): Architecture {
  const { model_type: modelType } = config;
  const family = typeof modelType === 'string' && Object.hasOwn(families, modelType) && families[modelType];
  if (!family) {
    const supported = `supported: ${Object.keys(families).join(', ')}`;
    const problem =
      typeof modelType === 'string'
        ? `model_type "${modelType}" is not supported; ${supported}. ${onnxInstead}`
        : `it has no model_type, so it is not the config.json of a Hugging Face model; ${supported}`;
    throw new FuseMeshError('invalid_argument', `${path}: ${problem}`);
  }
  try {
    return family(config);
  } catch (error) {
    if (!(error instanceof ZodError)) throw error;
    const problems = error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new FuseMeshError('invalid_argument', `${path}: ${problems.join('; ')}`, { cause: error });
  }
}

const read = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch(async (cause: unknown) => {
    const instead = await insteadOfModel(dirname(path));
    throw new FuseMeshError(
      'not_found',
      instead === undefined
        ? `No model at ${path}: give a Hugging Face directory with config.json, tokenizer.json and model.safetensors`
        : `No model at ${path}. ${instead}`,
      { cause },
    );
  });

function parse(text: string, path: string): { readonly model_type?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Falls through to the error for any text that is no object.
  }
  throw new FuseMeshError('invalid_argument', `${path} is not a JSON object`);
}
