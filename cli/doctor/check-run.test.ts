import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exampleConfig } from '../../test/support/example-config.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { checkSecurity, judgeExecution } from './check-run.ts';
import { judgeNats } from './run-nats.ts';
import { checkTexts } from './run-texts.ts';

it('finds a GPU where the run asks for one', () => {
  const asked = (execution: string) => exampleConfig({ trainer: { output: 'out', execution } });
  const cards = [{ name: 'A100', driver: '535.1', memory: undefined }];
  const without = {
    file: '',
    version: '1.30.0',
    refusals: { cpu: undefined, cuda: 'no CUDA: install it', webgpu: undefined },
  };
  const withCuda = { ...without, refusals: { cpu: undefined, cuda: undefined, webgpu: undefined } };

  const noCards = { unknown: 'nvidia-smi is not installed' };
  expect(judgeExecution(asked('cpu'), { runtime: without, cards: noCards })).toMatchObject({ verdict: 'ok' });
  expect(judgeExecution(asked('cuda'), { runtime: without, cards })).toMatchObject({
    verdict: 'problem',
    text: 'no CUDA: install it',
  });
  expect(judgeExecution(asked('cuda'), { runtime: without, cards: noCards })).toMatchObject({
    text: 'no CUDA: install it No NVIDIA GPU is known here (nvidia-smi is not installed).',
  });
  expect(judgeExecution(asked('cuda'), { runtime: withCuda, cards })).toMatchObject({
    verdict: 'ok',
    text: 'cuda (A100)',
  });
  expect(judgeExecution(asked('cpu'), { runtime: undefined, cards })).toMatchObject({ verdict: 'problem' });
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
  await expect(checkTexts('corpus', entry('empty.txt'))).rejects.toThrow(
    /corpus: there is no text in .*empty\.txt/,
  );
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
