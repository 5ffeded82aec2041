import { appendFile, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { type Document, DocumentSchema } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { RolloutJournal } from './journal.ts';

const of = { run: 'demo', plan: 'abc' };

const rollout = (number: number, content = `said ${number}`): Document =>
  create(DocumentSchema, {
    number: BigInt(number),
    domain: 'chat',
    schemaVersion: 2,
    turns: [
      { role: 'user', content: 'Say.' },
      { role: 'assistant', content, learnt: true, unfinished: number % 2 === 1 },
    ],
    rollout: {
      weightsStep: BigInt(number),
      prompt: 3n,
      seed: 5,
      tokens: 7,
      logProbability: -1.5,
      seconds: 0.25,
      teacher: number % 2 === 0 ? 'orator' : '',
    },
  });

const journalPath = async () => join(await temporaryDirectory(), 'rollouts.jsonl');

it('gives back what was appended, also when it is opened again, and keeps the first of two', async () => {
  const path = await journalPath();
  const journal = await RolloutJournal.open(path, of);
  await journal.append([rollout(4), rollout(1)]);
  await journal.append([rollout(4, 'another'), rollout(9)]);
  expect(await journal.read(4)).toEqual(rollout(4));
  expect(await journal.read(2)).toBeUndefined();
  await journal.close();

  const again = await RolloutJournal.open(path, of);
  expect([again.count, again.newestStep]).toEqual([3, 9]);
  for (const number of [1, 4, 9]) expect(await again.read(number)).toEqual(rollout(number));
  await again.append([rollout(2)]);
  expect(await again.read(2)).toEqual(rollout(2));
  await again.close();
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { document?: number }).document)).toEqual([
    undefined,
    4,
    1,
    9,
    2,
  ]);
});

it('is whole again wherever its last line was torn', async () => {
  const path = await journalPath();
  const journal = await RolloutJournal.open(path, of);
  await journal.append([rollout(0), rollout(1, 'ü🙂\nline')]);
  await journal.close();
  const whole = await readFile(path);
  const lines = whole.toString().split('\n');
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async (length) => {
      await writeFile(path, whole);
      await truncate(path, length);
      const kept = whole.subarray(0, length).toString().split('\n').length - 1;
      const torn = await RolloutJournal.open(path, of);
      expect(torn.count).toBe(Math.max(0, kept - 1));
      await torn.append([rollout(0), rollout(1, 'ü🙂\nline')]);
      await torn.close();
      expect((await readFile(path, 'utf8')).split('\n')).toEqual(lines);
    }),
    { numRuns: 60 },
  );
});

it('refuses a line that is broken before the end, and says what to do', async () => {
  const path = await journalPath();
  const journal = await RolloutJournal.open(path, of);
  await journal.append([rollout(0)]);
  await journal.close();
  await appendFile(path, '{"document": 1\n');
  await expect(RolloutJournal.open(path, of)).rejects.toMatchObject({
    code: 'data_loss',
    message: expect.stringMatching(/rollouts\.jsonl, line 3, is broken .*--fresh/),
  });
});

it('refuses the rollouts of another plan or run', async () => {
  const path = await journalPath();
  await (await RolloutJournal.open(path, of)).close();
  for (const other of [
    { ...of, plan: 'other' },
    { ...of, run: 'other' },
  ]) {
    await expect(RolloutJournal.open(path, other)).rejects.toMatchObject({ code: 'failed_precondition' });
  }
});
