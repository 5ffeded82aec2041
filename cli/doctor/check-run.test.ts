import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exampleConfig } from '../../test/support/example-config.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { checkSecurity, judgeExecution } from './check-run.ts';
import { judgeNats } from './run-nats.ts';
import { checkTexts } from './run-texts.ts';

/** A machine on which CUDA lacks nothing that can be looked for. */
const cuda = {
  driver: '13.0',
  libraries: new Map(
    [
      ...['cudart', 'nvrtc', 'cublasLt', 'cublas'].map((name) => `lib${name}.so.13`),
      ...['libcurand.so.10', 'libcudnn.so.9'],
    ].map((name) => [name, { path: `/lib/${name}`, isLinked: true }]),
  ),
};
const cudaBuild = { version: '1.30.0', cuda: 13, preload: [] } as const;
const cards = [{ name: 'A100', driver: '535.1', memory: undefined, computeCapability: '8.0' }];
const noCards = { unknown: 'nvidia-smi is not installed' };
const without = {
  file: '/lib/libonnxruntime.so.1',
  version: '1.30.0',
  refusals: { cpu: undefined, cuda: 'no CUDA: install it', webgpu: 'no adapter: install one' },
};
const withAll = { ...without, refusals: { cpu: undefined, cuda: undefined, webgpu: undefined } };

it('finds a GPU where the run asks for one', () => {
  const asked = (execution: 'cpu' | 'cuda' | 'webgpu', machine: object, device = 0) =>
    judgeExecution(
      'trainer',
      { execution, device },
      { runtime: without, cards, cuda, cudaBuild, ...machine },
    );
  expect(asked('cpu', { cards: noCards })).toMatchObject({ verdict: 'ok' });
  expect(asked('cuda', {})).toMatchObject({ verdict: 'problem', text: 'no CUDA: install it' });
  expect(asked('cuda', { cards: noCards })).toMatchObject({
    text: 'no CUDA: install it No NVIDIA GPU is known here (nvidia-smi is not installed).',
  });
  expect(asked('cuda', { runtime: withAll })).toMatchObject({ verdict: 'ok', text: 'cuda (GPU 0: A100)' });
  expect(asked('cuda', { runtime: withAll }, 1)).toEqual({
    name: 'trainer.device',
    verdict: 'problem',
    text: 'trainer.device is 1, and the GPUs here are numbered to 0: lower it',
  });
  expect(asked('webgpu', {})).toMatchObject({ verdict: 'problem', text: 'no adapter: install one' });
  expect(asked('webgpu', { runtime: withAll, cards: noCards })).toMatchObject({
    verdict: 'ok',
    text: 'webgpu',
  });
  expect(asked('cpu', { runtime: undefined })).toMatchObject({ verdict: 'problem' });
});

it('says what CUDA lacks rather than what ONNX Runtime makes of it', () => {
  const text = (machine: object) =>
    judgeExecution(
      'teachers.0',
      { execution: 'cuda', device: 0 },
      { runtime: without, cards, cuda, cudaBuild, ...machine },
    ).text;
  expect(text({ cudaBuild: undefined })).toBe(
    "ONNX Runtime's CUDA build is not in this project: run `npm run cuda`.",
  );
  expect(text({ cuda: { driver: undefined, libraries: new Map() } })).toMatch(/^there is no NVIDIA driver/);
  expect(text({ cuda: { ...cuda, driver: '12.4' } })).toBe(
    'the NVIDIA driver supports CUDA 12.4 at most, and not 13: update it, or run `npm run cuda -- --cuda 12`.',
  );
  const libraries = new Map(cuda.libraries);
  libraries.delete('libcudnn.so.9');
  expect(text({ cuda: { ...cuda, libraries } })).toBe(
    'of CUDA 13 libcudnn.so.9 is missing: install what is missing (docs/gpu.md), then run `npm run cuda`.',
  );
});

it.each([
  ['2.9.10', 'ok'],
  ['nats-server: v2.10.1', 'ok'],
  ['2.8.4', 'problem'],
])('judges the NATS server %s: %s', (version, verdict) => {
  const finding = judgeNats(version, 'answers at nats://127.0.0.1:4222', 'update it');
  expect(finding.verdict).toBe(verdict);
  expect(finding.text.endsWith('it must be 2.9 or newer, update it')).toBe(verdict === 'problem');
});

it('counts texts, and refuses a missing and an empty one', async () => {
  const directory = await temporaryDirectory();
  const entry = (name: string) => [{ domain: 'speeches', path: join(directory, name) }];
  await writeFile(join(directory, 'a.txt'), 'Call me Ishmael.');
  await writeFile(join(directory, 'empty.txt'), '');
  expect(await checkTexts('corpus', entry('a.txt'))).toEqual([
    { name: 'corpus', verdict: 'ok', text: '1 file, 16 B' },
  ]);
  expect(await checkTexts('corpus', entry('.'))).toMatchObject([{ text: '2 files, 16 B' }]);
  await expect(checkTexts('corpus', entry('none.txt'))).rejects.toThrow('No text at');
  await expect(checkTexts('corpus', entry('empty.txt'))).rejects.toThrow(/empty\.txt is empty/);
});

it('reads what the security of a run names, as far as this machine serves', async () => {
  const { security } = exampleConfig();
  expect(await checkSecurity(security, ['127.0.0.1'])).toEqual([
    { name: 'security', verdict: 'ok', text: 'plain text, no token' },
  ]);
  const missing = { ...security, tokenFile: '/no/token' };
  await expect(checkSecurity(missing, [])).rejects.toThrow('security.tokenFile: cannot read /no/token');
  await expect(checkSecurity(security, ['0.0.0.0'])).rejects.toThrow('would be open to other machines');
  expect(await checkSecurity({ ...security, insecure: true }, ['0.0.0.0'])).toMatchObject([
    { verdict: 'ok' },
    { verdict: 'note', text: expect.stringContaining('is plain text') },
    { verdict: 'note', text: expect.stringContaining('lets in whoever reaches it') },
  ]);
});
