import { afterAll, beforeAll, expect, test } from 'vitest';
import { disturbedRun, type Outcome } from './disturbed-run.ts';
import { makeSmallCorpus, type SmallCorpus } from './small-run.ts';

const settings = [
  'nats.maxDocuments=24',
  'nats.maxDistributions=24',
  'trainer.evaluateEvery=10000',
  'topK=64',
];
/** Every distribution travels in parts. */
const maxPayload = '20KB';
let corpus: SmallCorpus;
let undisturbed: Outcome;

beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 2_000 });
  undisturbed = await disturbedRun(corpus, `one-${process.pid}`, { settings });
}, 120_000);
afterAll(() => corpus.remove());

test('a run on three NATS servers survives the leader being killed and another server lost for good', {
  timeout: 600_000,
}, async () => {
  const { state, weights, mesh, orphans } = await disturbedRun(corpus, `cluster-${process.pid}`, {
    settings,
    servers: 3,
    maxPayload,
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
