import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { Architecture } from '../../model/families/architecture.ts';
import { openInferenceWeights } from '../../model/families/inference-weights.ts';
import { readArchitecture, readTrainable } from '../../model/families/read-architecture.ts';
import { parameterCount } from '../../model/families/weight-shapes.ts';
import { openWeights } from '../../model/families/weights.ts';
import { strayTargets } from '../../model/lora/target-layers.ts';
import { findModelFiles } from '../../model/model-files.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { adapterOf } from '../../trainer/engine-of-run.ts';
import { type Finding, note, ok, problem } from './finding.ts';

/** A model of the run, as far as its files say without being loaded. */
interface ReadModel {
  readonly family: string;
  readonly parameters: number;
  readonly vocabularySize: number;
  readonly contextLength: number;
}

type Limits = Pick<RunConfig, 'contextLength' | 'topK'>;

/**
 * Reads a teacher's model but for the values of its weights.
 *
 * @throws FuseMeshError as the teacher would when it loads it
 */
export async function checkTeacherModel(
  name: string,
  path: string,
  limits: Limits,
): Promise<readonly Finding[]> {
  const { directory, exported } = await findModelFiles(path);
  const model =
    exported === undefined
      ? await readStored(directory, quantizedToo)
      : await readExported(exported, directory);
  return judgeModel(name, path, await withTokenizer(model, directory), limits);
}

/**
 * Reads the tokenizer of a served model: the server is looked at when the teacher starts, which waits for it.
 *
 * @throws FuseMeshError as the teacher would
 */
export async function checkServedTeacher(
  name: string,
  directory: string,
  { topK }: Pick<Limits, 'topK'>,
): Promise<readonly Finding[]> {
  const { Tokenizer } = await import('../../model/tokenizer/tokenizer.ts');
  const { vocabularySize } = await Tokenizer.fromFile(join(directory, 'tokenizer.json'));
  if (topK > vocabularySize) {
    return [
      problem(
        name,
        `topK is ${topK}, the tokenizer in ${directory} has ${vocabularySize} tokens: lower topK`,
      ),
    ];
  }
  return [ok(name, `${directory}: ${vocabularySize} tokens; the teacher looks at its server when it starts`)];
}

/**
 * Reads the target likewise: it must be stored as safetensors, as only those can be trained.
 *
 * @throws FuseMeshError as the trainer would
 */
export async function checkTarget(config: RunConfig): Promise<readonly Finding[]> {
  const { target, contextLength } = config;
  const topK = target.source ? config.topK : 1;
  await readTrainable(target.model);
  const model = await withTokenizer(await readStored(target.model, openWeights), target.model);
  await adapterOf(target);
  const stray = target.lora && strayTargets(await readArchitecture(target.model), target.lora.targetModules);
  if (contextLength > model.contextLength) {
    const text = `contextLength is ${contextLength}, the model in ${target.model} takes ${model.contextLength} at most: lower it`;
    return [problem('target.model', text)];
  }
  const findings = judgeModel('target.model', target.model, model, { contextLength, topK });
  return stray ? [...findings, note('target.lora', stray)] : findings;
}

const quantizedToo = (directory: string, architecture: Architecture) =>
  openInferenceWeights(directory, architecture, { onDevice: false });

async function readStored(
  directory: string,
  open: (directory: string, architecture: Architecture) => Promise<{ close(): Promise<void> }>,
): Promise<ReadModel> {
  const architecture = await readArchitecture(directory);
  const weights = await open(directory, architecture);
  await weights.close();
  const { family, vocabularySize, contextLength } = architecture;
  return { family, vocabularySize, contextLength, parameters: parameterCount(architecture.weights) };
}

async function readExported(path: string, directory: string): Promise<ReadModel> {
  await access(path, constants.R_OK);
  const { readExportedModel } = await import('../../model/onnx/exported/read-exported-model.ts');
  return readExportedModel(path, directory);
}

/** Checks that a model has a tokenizer that goes with it. */
async function withTokenizer(model: ReadModel, directory: string): Promise<ReadModel> {
  const { Tokenizer } = await import('../../model/tokenizer/tokenizer.ts');
  const tokenizer = await Tokenizer.fromFile(join(directory, 'tokenizer.json'));
  tokenizer.expectModelOf(model.vocabularySize, directory);
  return model;
}

/** What is to be said about a model that can be read. */
export function judgeModel(
  name: string,
  path: string,
  { family, parameters, vocabularySize, contextLength }: ReadModel,
  limits: Limits,
): Finding[] {
  if (limits.topK > vocabularySize) {
    const text = `topK is ${limits.topK}, the model in ${path} knows ${vocabularySize} tokens: lower topK`;
    return [problem(name, text)];
  }
  if (limits.contextLength > contextLength) {
    const text = `${path} takes ${contextLength} tokens at most, and longer documents are without it: lower contextLength (${limits.contextLength}) to have it teach them`;
    return [note(name, text)];
  }
  const count = Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });
  return [ok(name, `${path}: ${family}, ${count.format(parameters)} parameters, context ${contextLength}`)];
}
