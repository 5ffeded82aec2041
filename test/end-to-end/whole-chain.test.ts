import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runResultSchema } from '../../cli/evaluation/loss-report.ts';
import { runCommand } from './command.ts';
import {
  goOn,
  isAlive,
  killTrainer,
  makeSmallCorpus,
  newestCheckpointStep,
  processIds,
  type SmallCorpus,
  writeRunFile,
} from './small-run.ts';

const unbroken = `end-to-end-unbroken-${process.pid}`;
const broken = `end-to-end-broken-${process.pid}`;
let corpus: SmallCorpus;

beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 8000 });
});
afterAll(() => corpus.remove());

const finalWeights = (output: string) => readFile(join(output, 'model', 'model.safetensors'));

const lastState = async (output: string) => {
  const step = await newestCheckpointStep(output);
  const name = `step-${String(step).padStart(6, '0')}`;
  const record = JSON.parse(await readFile(join(output, 'checkpoints', name, 'trainer-state.json'), 'utf8'));
  return record.state as { documents: number; tokens: number; step: number };
};

test('one command feeds, trains and evaluates', { timeout: 180_000 }, async () => {
  const { path, output } = await writeRunFile(corpus, { run: unbroken });
  const { code, stdout, stderr } = await runCommand(['up', path, '--json']);
  expect(stderr).not.toMatch(/^fusemesh: /m);
  expect(code).toBe(0);

  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  const result = runResultSchema.parse(JSON.parse(stdout));
  expect(result.domains.map(({ name }) => name)).toEqual(['speeches', 'fiction', 'manuals']);
  for (const { before, after, teachers } of result.domains) {
    expect(Object.keys(teachers)).toEqual(['orator', 'novelist', 'engineer']);
    expect(after).toBeLessThan(before);
  }
  expect(result.model).toBe(join(output, 'model'));
  expect(stderr).toMatch(/orator 127\.0\.0\.1:\d+, metrics http:/);

  const { documents, tokens, step } = await lastState(output);
  expect(result.tokens).toBe(tokens);
  expect(step).toBe(Math.ceil(documents / 4));
});

test('a trainer killed twice and a stopped mesh go on where they were, to the same weights', {
  timeout: 360_000,
}, async () => {
  const { path, output } = await writeRunFile(corpus, { run: broken });

  for (let kill = 0; kill < 2; kill++) {
    const up = await goOn({ path, output });
    await killTrainer(output);
    const killed = await up.finished;
    expect(killed.code).toBe(1);
    expect(killed.stderr).toMatch(/^fusemesh: trainer: was killed \(SIGKILL\).*\n$/);
  }

  const stopping = await goOn({ path, output });
  const processes = [...(await processIds(output)).values()];
  expect(processes.length).toBeGreaterThanOrEqual(5);
  stopping.process.kill('SIGINT');
  const stopped = await stopping.finished;
  expect(stopped.code).toBe(130);
  expect(stopped.stderr).toBe('');
  expect(stopped.stdout).toContain('The same command goes on from the newest checkpoint.');
  expect(processes.filter(isAlive)).toEqual([]);

  const last = await runCommand(['up', path]);
  expect(last.code).toBe(0);
  expect(last.stdout).toContain('target after');

  const whole = join(corpus.directory, unbroken);
  const { documents, tokens } = await lastState(whole);
  expect(await lastState(output)).toMatchObject({ documents, tokens });
  expect(Buffer.compare(await finalWeights(output), await finalWeights(whole))).toBe(0);
});

test('a finished run prints its result again, and refuses other settings', { timeout: 60_000 }, async () => {
  const { path } = await writeRunFile(corpus, { run: unbroken });
  const again = await runCommand(['up', path]);
  expect(again.code).toBe(0);
  expect(again.stdout).toContain('finished before; --fresh begins again');

  const other = await runCommand(['up', path, '--set', 'trainer.lambda=0.5']);
  expect(other.code).toBe(1);
  expect(other.stderr).toMatch(/^fusemesh: .*--fresh.*\n$/);
});
