import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from './command.ts';
import { makeSmallCorpus, type SmallCorpus, smallTrainer, writeRunFile, zoo } from './small-run.ts';

const questions = [
  { text: 'Fellow citizens, ' },
  { messages: [{ role: 'user', content: 'What is a file?' }], teacher: 'engineer' },
  { messages: [{ role: 'user', content: 'Who rules the sea?' }] },
];
const chatTemplate = join(zoo, '../conversations/chatml.jinja');
const batchDocuments = 4;
const staleness = 1;
const steps = 6;

let corpus: SmallCorpus;
beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 1_500 });
});
afterAll(() => corpus?.remove());

/** A line of the journal, as far as it is looked at. */
interface Line {
  readonly document: number;
  readonly weightsStep: number;
  readonly teacher?: string;
  readonly turns: readonly { readonly content: string; readonly learnt?: boolean }[];
}

test('the target writes what it learns from, with the newest weights, and two teachers judge it', {
  timeout: 300_000,
}, async () => {
  await writeFile(
    join(corpus.directory, 'questions.jsonl'),
    questions.map((row) => `${JSON.stringify(row)}\n`).join(''),
  );
  const run = 'on-policy';
  const output = join(corpus.directory, run);
  const { path } = await writeRunFile(corpus, {
    run,
    changes: {
      contextLength: 128,
      corpus: [],
      onPolicy: {
        prompts: [{ domain: 'asked', path: 'questions.jsonl' }],
        maxNewTokens: 12,
        staleness,
      },
      heldOut: [],
      teachers: [
        { name: 'orator', address: '127.0.0.1:0', model: join(zoo, 'orator') },
        { name: 'engineer', address: '127.0.0.1:0', model: join(zoo, 'engineer'), chatTemplate },
      ],
      target: { model: join(zoo, 'target'), service: { address: '127.0.0.1:0' } },
      trainer: { ...smallTrainer, output, batchDocuments, steps },
    },
  });
  const { code, stdout, stderr } = await runCommand(['up', path, '--json']);
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ model: join(output, 'model') });
  for (const process of ['target service', 'rollout worker']) expect(stderr).toContain(`${process} `);

  const text = await readFile(join(output, 'rollouts.jsonl'), 'utf8');
  const [, ...lines] = text.trimEnd().split('\n');
  const journal = lines.map((line) => JSON.parse(line) as Line).toSorted((a, b) => a.document - b.document);
  expect(journal.map(({ document }) => document)).toEqual(
    Array.from({ length: steps * batchDocuments }, (_, document) => document),
  );
  for (const { document, weightsStep, turns, teacher } of journal) {
    const age = Math.floor(document / batchDocuments) - weightsStep;
    expect(age).toBeGreaterThanOrEqual(0);
    expect(age).toBeLessThanOrEqual(staleness);
    expect(turns.at(-1)?.learnt).toBe(true);
    expect(teacher).toBe(turns[0].content === 'What is a file?' ? 'engineer' : undefined);
  }
  expect(Math.max(...journal.map(({ weightsStep }) => weightsStep))).toBeGreaterThan(1);
});
