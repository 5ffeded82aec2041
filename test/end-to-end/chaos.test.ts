import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { disturbedRun, type Outcome } from './disturbed-run.ts';
import { makeSmallCorpus, type SmallCorpus } from './small-run.ts';

const settings = ['nats.maxDocuments=40', 'nats.maxDistributions=40', 'trainer.evaluateEvery=10000'];
let corpus: SmallCorpus;
let undisturbed: Outcome;

beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 5_000 });
  undisturbed = await disturbedRun(corpus, `undisturbed-${process.pid}`, { settings });
}, 120_000);
afterAll(() => corpus?.remove());

function expectTheSame({ weights, state, orphans }: Outcome): void {
  expect(state).toEqual(undisturbed.state);
  expect(weights).toBe(undisturbed.weights);
  expect(orphans).toEqual([]);
}

test('a run whose trainer, teacher and NATS are killed ends with the same model', {
  timeout: 120_000,
}, async () => {
  const outcome = await disturbedRun(corpus, `killed-${process.pid}`, {
    settings,
    disturb: async ({ mesh, reaches }) => {
      for (const [i, part] of [mesh.nats, mesh.trainer, mesh.teachers[1]].entries()) {
        await reaches(2 * i + 1);
        await part.kill();
      }
    },
  });
  expectTheSame(outcome);
  for (const { name, lives } of outcome.mesh.parts) {
    const killed = lives.filter(({ end }) => end === 'killed').length;
    expect([name, killed]).toEqual([
      name,
      ['nats-server', 'trainer', 'teacher novelist'].includes(name) ? 1 : 0,
    ]);
  }
});

test('a run that loses messages and then the whole store ends with the same model', {
  timeout: 120_000,
}, async () => {
  const outcome = await disturbedRun(corpus, `lost-${process.pid}`, {
    settings,
    disturb: async ({ mesh, reaches }) => {
      await reaches(1);
      await mesh.deleteLast(100);
      await reaches(3);
      await mesh.wipeStore();
      await sleep(500);
    },
  });
  expectTheSame(outcome);
});
