import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runResultSchema } from '../../cli/stored/run-result.ts';
import { checkpointName } from '../../model/checkpoints/checkpoint-names.ts';
import { entryOfCheckout } from '../translated/entry.ts';
import { runCommand } from './command.ts';
import {
  goOn,
  isAlive,
  killTrainer,
  logLines,
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
  const file = join(output, 'checkpoints', checkpointName(step), 'trainer-state.json');
  const { state } = JSON.parse(await readFile(file, 'utf8'));
  return state as {
    documents: number;
    tokens: number;
    step: number;
    best: { step: number; bitsPerByte: number };
  };
};

test('one command feeds, trains and evaluates', { timeout: 180_000 }, async () => {
  const { path, output } = await writeRunFile(corpus, { run: unbroken });
  // As the README has it, without anything made beforehand.
  const { code, stdout, stderr } = await runCommand(['up', path, '--json'], {}, { from: entryOfCheckout });
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

  const { documents, tokens, step, best } = await lastState(output);
  expect(result.tokens).toBe(tokens);
  expect(step).toBe(Math.ceil(documents / 4));

  // What the engine says of the held-out texts while it trains is what the table says at the end.
  const heldOut = (await logLines(output, 'trainer')).filter(({ bitsPerByte }) => bitsPerByte !== undefined);
  expect(heldOut.map((line) => line.step)).toEqual(evaluatedSteps(step));
  for (const { name, after } of result.domains)
    expect(heldOut.at(-1)!.bitsPerByte![name]).toBeCloseTo(after!, 4);
  const means = heldOut.map(({ bitsPerByte }) => mean(Object.values(bitsPerByte!)));
  expect(best.bitsPerByte).toBe(Math.min(...means));
  expect(await readdir(join(output, 'checkpoints'))).toContain(checkpointName(best.step));
});

/** Every fourth step, and the last. */
const evaluatedSteps = (last: number) =>
  Array.from({ length: last }, (_, i) => i + 1).filter((step) => step % 4 === 0 || step === last);

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test('after a killed trainer and a stopped mesh a run goes on where it was, to the same weights', {
  timeout: 360_000,
}, async () => {
  const { path, output } = await writeRunFile(corpus, { run: broken });

  const up = await goOn({ path, output });
  await killTrainer(output);
  const killed = await up.finished;
  expect(killed.code).toBe(1);
  expect(killed.stderr).toMatch(/^fusemesh: trainer: was killed \(SIGKILL\).*\n$/);

  const stopping = await goOn({ path, output });
  const processes = [...(await processIds(output)).values()];
  expect(processes.length).toBeGreaterThanOrEqual(5);
  stopping.process.kill('SIGINT');
  const stopped = await stopping.finished;
  expect(stopped.code).toBe(130);
  expect(stopped.stderr).toBe('');
  expect(stopped.stdout).toContain('The same command resumes from the newest checkpoint.');
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
