import { afterAll, beforeAll, expect, test } from 'vitest';
import { disturbedRun } from './disturbed-run.ts';
import { makeSmallCorpus, type SmallCorpus } from './small-run.ts';

const settings = ['nats.maxDocuments=40', 'nats.maxDistributions=40', 'trainer.evaluateEvery=10000'];
let corpus: SmallCorpus;

beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 4_000 });
});
afterAll(() => corpus.remove());

test('a run survives NATS, trainer and a teacher being killed, messages that vanish, and a store that is wiped', {
  timeout: 600_000,
}, async () => {
  const undisturbed = await disturbedRun(corpus, `undisturbed-${process.pid}`, { settings });
  const { state, weights, mesh, orphans } = await disturbedRun(corpus, `disturbed-${process.pid}`, {
    settings,
    disturb: async ({ mesh: going, reaches }) => {
      await reaches(2);
      await going.nats.kill();
      await reaches(4);
      await going.trainer.kill();
      await going.teachers[1].kill();
      await reaches(6);
      await going.deleteLast(100);
      await reaches(8);
      await going.wipeStore();
    },
  });
  expect(state).toEqual(undisturbed.state);
  expect(weights).toBe(undisturbed.weights);
  expect(orphans).toEqual([]);
  const killed = mesh.parts.map(({ name, lives }) => [
    name,
    lives.filter(({ end }) => end === 'killed').length,
  ]);
  expect(Object.fromEntries(killed)).toMatchObject({
    trainer: 1,
    'teacher orator': 0,
    'teacher novelist': 1,
    'nats-server': 2,
  });
});
