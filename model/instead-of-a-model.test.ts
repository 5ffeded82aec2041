import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { goldenAdapters, goldenModel } from '../test/support/golden.ts';
import { temporaryDirectory } from '../test/support/temporary-directory.ts';
import { readArchitecture } from './families/read-architecture.ts';
import { openWeights } from './families/weights.ts';
import { insteadOfModel } from './instead-of-a-model.ts';
import { Scorer } from './scoring/scorer.ts';
import { Tokenizer } from './tokenizer/tokenizer.ts';

afterEach(() => vi.unstubAllEnvs());

const gguf = join(import.meta.dirname, '..', 'test', 'golden-gguf', 'llama.gguf');

/** A directory with empty files of these names. */
async function directoryOf(...names: readonly string[]): Promise<string> {
  const directory = await temporaryDirectory();
  for (const name of names) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), '');
  }
  return directory;
}

test('a GGUF is told to be imported, by whatever its name ends', async () => {
  const directory = await temporaryDirectory();
  await cp(gguf, join(directory, 'model.gguf'));
  await cp(gguf, join(directory, 'blob'));
  for (const path of [directory, join(directory, 'model.gguf'), join(directory, 'blob')]) {
    const toImport = path === directory ? join(directory, 'model.gguf') : path;
    expect(await insteadOfModel(path)).toContain(`fusemesh import ${toImport} DIRECTORY`);
  }
});

test('so are adapters, pickled weights, single files and the root of a cached model told what to do', async () => {
  expect(await insteadOfModel(goldenAdapters()[0])).toContain(`fusemesh merge ${goldenAdapters()[0]} DIR`);
  const pickled = await directoryOf('config.json', 'pytorch_model-00001-of-00002.bin');
  expect(await insteadOfModel(pickled)).toContain(`in pytorch_model-00001-of-00002.bin, a pickle`);
  expect(await insteadOfModel(join(goldenModel('gpt2-tied'), 'model.safetensors'))).toContain(
    `Give the directory in which it is, ${goldenModel('gpt2-tied')}.`,
  );
  const cached = await directoryOf('snapshots/abc/config.json', 'refs/main');
  expect(await insteadOfModel(cached)).toContain(join(cached, 'snapshots', 'abc'));
  expect(await insteadOfModel(await directoryOf('config.json'))).toBeUndefined();
});

test("a model's name on the hub is told to be downloaded, or where the hub's cache has it", async () => {
  const cache = await directoryOf('models--small--one/snapshots/abc/config.json');
  vi.stubEnv('HF_HUB_CACHE', cache);
  const here = await temporaryDirectory();
  expect(await insteadOfModel(join(here, 'meta-llama', 'Llama-3-8B'))).toContain(
    'hf download meta-llama/Llama-3-8B --local-dir DIRECTORY',
  );
  expect(await insteadOfModel('meta-llama/Llama-3-8B')).toContain('hf download meta-llama/Llama-3-8B');
  expect(await insteadOfModel(join(here, 'small', 'one'))).toContain(
    join(cache, 'models--small--one', 'snapshots', 'abc'),
  );
  // A name that is mistyped, beside others.
  expect(await insteadOfModel(join(here, 'Llama'))).toBeUndefined();
});

test('every way to open a model tells it', async () => {
  const adapter = goldenAdapters()[0];
  await expect(readArchitecture(adapter)).rejects.toThrow('fusemesh merge');
  await expect(Scorer.load(gguf, { topK: 1, threads: 1 })).rejects.toThrow('fusemesh import');
  await expect(Tokenizer.fromFile(join(gguf, 'tokenizer.json'))).rejects.toThrow('fusemesh import');
  const directory = await temporaryDirectory();
  await cp(goldenModel('gpt2-tied'), directory, { recursive: true });
  await rm(join(directory, 'model.safetensors'));
  await writeFile(join(directory, 'pytorch_model.bin'), '');
  const architecture = await readArchitecture(directory);
  await expect(openWeights(directory, architecture)).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('pytorch_model.bin, a pickle'),
  });
});
