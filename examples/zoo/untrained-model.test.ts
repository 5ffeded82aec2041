import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { modelDirectory } from './layout.ts';
import { buildUntrainedModel } from './untrained-model.ts';
import { chooseModels } from './zoo.ts';

test('the target begins with the configuration and the tokenizer that it ends with, whatever its seed', async () => {
  const directory = await temporaryDirectory();
  const [target] = chooseModels(['target']);
  await buildUntrainedModel({ ...target, seed: 77 }, directory);
  for (const file of ['config.json', 'generation_config.json', 'tokenizer_config.json', 'tokenizer.json']) {
    const ended = await readFile(join(modelDirectory('target'), file), 'utf8');
    expect((await readFile(join(directory, file), 'utf8')) === ended, file).toBe(true);
  }
});
