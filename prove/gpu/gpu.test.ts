import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import type { Proof } from './prove.ts';

const root = join(import.meta.dirname, '..', '..');
const prove = (...options: readonly string[]) =>
  promisify(execFile)(process.execPath, ['--import', 'tsx', 'prove/gpu.ts', ...options], { cwd: root });

it('measures training and scoring on the processor, and tells it as a table and as JSON', async () => {
  const json = join(await temporaryDirectory(), 'proof.json');
  const { stdout } = await prove('--provider', 'cpu', '--quick', '--only', 'train,teach', '--json', json);
  expect(stdout).toContain('### Training');
  expect(stdout).toContain('### Scoring');
  const { rows, card } = JSON.parse(await readFile(json, 'utf8')) as Proof;
  expect(card).toBeUndefined();
  const ours = rows.filter(({ name }) => name.endsWith('FuseMesh'));
  expect(ours.map(({ part }) => part)).toEqual(['train', 'teach']);
  for (const { figures } of ours) expect(figures!['tokens/s']).toBeGreaterThan(0);
});

it('says in a line what it does not know', async () => {
  await expect(prove('--provider', 'tpu')).rejects.toMatchObject({
    code: 1,
    stderr: '--provider tpu: choose of cuda, webgpu, cpu\n',
  });
});
