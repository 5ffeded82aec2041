import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelSize } from '../../examples/zoo/families/size.ts';
import { modelDirectory } from '../../examples/zoo/layout.ts';
import { pretrain } from '../../examples/zoo/pretraining.ts';
import { needTrainingTexts } from '../../examples/zoo/texts.ts';
import { buildUntrainedModel } from '../../examples/zoo/untrained-model.ts';
import { chooseModels, type ZooModel } from '../../examples/zoo/zoo.ts';
import { keptDirectory } from './directories.ts';

/** What of a target differs from the zoo's beside its seed. */
interface TargetOptions {
  readonly size?: ModelSize | undefined;
  readonly signal?: AbortSignal;
}

/**
 * The zoo's target, pretrained from other random weights with another order of the text, all else alike but for its size.
 * Seed 0 in the zoo's size is the target of the zoo itself. Any other is trained when it is first asked for, in half a
 * minute for a million parameters, and kept. Equal seeds give equal random weights, so no seed of another model in the zoo
 * is used here.
 *
 * @returns its Hugging Face directory
 * @throws FuseMeshError unavailable when texts are missing and cannot be downloaded, cancelled when the signal
 * stops the training
 */
export async function targetOfSeed(
  seed: number,
  { size, signal = new AbortController().signal }: TargetOptions = {},
): Promise<string> {
  const [recipe] = chooseModels(['target']);
  if (seed === 0 && size === undefined) return modelDirectory(recipe.name);
  const kind = size && `${size.hiddenSize}x${size.layers}`;
  const trained = join(keptDirectory, 'targets', ...(kind ? [kind] : []), String(seed));
  if (existsSync(trained)) return trained;
  const name = [`target of seed ${seed}`, ...(kind ? [kind] : [])].join(', ');
  const model: ZooModel = { ...recipe, name, size, seed: 1000 * seed + recipe.seed };
  const untrained = `${trained}.untrained`;
  await needTrainingTexts();
  await buildUntrainedModel(model, untrained);
  await pretrain(model, { untrained, trained }, signal);
  await rm(untrained, { recursive: true });
  return trained;
}
