import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { runCommand } from './command.ts';
import { logLines } from './small-run.ts';

const example = join(import.meta.dirname, '../../examples/conversations');
const runFile = join(example, 'run.yaml');

test('two teachers with templates of their own teach a target to answer, and to end its answers', {
  timeout: 240_000,
}, async () => {
  const output = await temporaryDirectory();
  const settings = {
    run: `end-to-end-conversations-${process.pid}`,
    'trainer.output': output,
    'trainer.steps': 12,
    'trainer.evaluateEvery': 12,
  };
  const up = ['up', runFile, '--json'];
  for (const [key, value] of Object.entries(settings)) up.push('--set', `${key}=${value}`);
  const { code, stdout, stderr } = await runCommand(up);
  expect(stderr).toContain('fusemesh: heldOut: 1 rows or parts of them are left out: 1 too long');
  expect(code).toBe(0);
  const { domains } = JSON.parse(stdout) as {
    domains: { before: number; after: number; teachers: Record<string, number> }[];
  };
  // On what assistants say, in bits per byte.
  expect(domains).toHaveLength(1);
  const [{ before, after, teachers }] = domains;
  expect(after).toBeLessThan(0.97 * before);
  expect(Object.keys(teachers)).toEqual(['orator', 'novelist']);

  // The trainer counts the same while it trains.
  const measured = (await logLines(output, 'trainer')).find(({ bitsPerByte }) => bitsPerByte !== undefined);
  expect(measured).toMatchObject({ step: 12, bitsPerByte: { conversations: expect.closeTo(after, 3) } });

  const model = join(output, 'model');
  const generated = await runCommand([
    'generate',
    model,
    'What is a computer?',
    '--chat',
    '--max-tokens',
    '8',
  ]);
  expect(generated).toMatchObject({ code: 0, stderr: '' });
});

test('a dry run shows a conversation as each model reads it', { timeout: 60_000 }, async () => {
  const { code, stdout } = await runCommand(['feed', runFile, '--dry-run']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/\d+ documents of \d+ texts in 1 files/);
  expect(stdout).toMatch(/orator +[\d,]+ tokens, .* bytes each; [\d,]+ of them are learnt/);
  expect(stdout).toMatch(/target +U\|ser\|:/);
  expect(stdout).toMatch(/novelist +<s>\|.*<\/s>/);
});
