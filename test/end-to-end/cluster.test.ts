import { afterAll, beforeAll, expect, test } from 'vitest';
import { disturbedRun } from './disturbed-run.ts';
import { makeSmallCorpus, type SmallCorpus } from './small-run.ts';

const settings = [
  'nats.maxDocuments=24',
  'nats.maxDistributions=24',
  'trainer.evaluateEvery=10000',
  'topK=64',
];
let corpus: SmallCorpus;

beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 2_000 });
});
afterAll(() => corpus.remove());

test('a run on three NATS servers survives the leader being killed and another server lost for good', {
  timeout: 600_000,
}, async () => {
  const undisturbed = await disturbedRun(corpus, `one-${process.pid}`, { settings });
  const { state, weights, mesh, orphans } = await disturbedRun(corpus, `cluster-${process.pid}`, {
    settings,
    servers: 3,
    // Every distribution travels in parts.
    maxPayload: '20KB',
    disturb: async ({ mesh: going, reaches }) => {
      await reaches(2);
      expect((await going.held()).parts).toBeGreaterThan(0);
      const leader = (await going.leader())!;
      await leader.kill();
      await reaches(4);
      await going.servers.find((server) => server !== leader)!.lose();
    },
  });
  expect(state).toEqual(undisturbed.state);
  expect(weights).toBe(undisturbed.weights);
  expect(orphans).toEqual([]);
  const lives = mesh.servers.map(({ lives }) => lives.length).sort();
  expect(lives).toEqual([1, 1, 2]);
});
