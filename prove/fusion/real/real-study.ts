import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { loadRunConfig } from '../../../process/config/load-config.ts';
import type { Experiment } from '../experiment.ts';
import { byDefault, continued } from '../experiments.ts';
import { keptDirectory } from '../places.ts';
import type { Study } from '../study.ts';
import { buildTexts } from './build-texts.ts';

const copy = 'target';
const sources = ['smollm2', copy];

const realExperiments: readonly Experiment[] = [
  { name: 'before', sources, share: 0 },
  { name: continued, sources, lambda: 1 },
  { name: byDefault, sources },
  { name: 'SmolLM2 alone', sources: ['smollm2'] },
  { name: 'lambda = 0.5', sources, lambda: 0.5 },
  { name: 'lambda = 0.1', sources, lambda: 0.1 },
].map((experiment) => ({ ...experiment, group: 'main' }));

/** SmolLM2 teaches the example models' target, on text that none of those was trained on; as it is on this machine. */
export async function readRealStudy(): Promise<Study> {
  const config = await loadRunConfig(join(import.meta.dirname, 'run.yaml'), { environment: {} });
  return { config, experiments: realExperiments, resultsPath: join(keptDirectory, 'results-real.jsonl') };
}

/**
 * The same with its texts, which are fetched unless they are there.
 *
 * @throws FuseMeshError not_found without SmolLM2, unavailable when the texts are out of reach
 */
export async function openRealStudy(): Promise<Study> {
  const study = await readRealStudy();
  for (const { model } of study.config.teachers) {
    if (model === undefined || (await isThere(join(model, 'model.safetensors')))) continue;
    throw new FuseMeshError('not_found', `There is no SmolLM2 in ${model}: npm run smollm2 makes it.`);
  }
  await buildTexts(study.config);
  return study;
}

/** Whether anything of it has been measured on this machine. */
export const isMeasured = ({ resultsPath }: Study): Promise<boolean> => isThere(resultsPath);

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
