/**
 * Processes killed at random, messages that vanish, a store that is wiped: the same fused model, each document once.
 *
 * --kills N    so many kills (50; 20 with --cluster)
 * --cluster    three NATS servers hold every stream, and one of them is lost for good among the kills; then, as root on
 *              Linux, each has a network of its own: they are restarted in turn, and cut off from each other and from all
 * --on-policy  the target writes: 20 kills, its service and workers among the killed; then the run is done again from the
 *              journal of its rollouts, and comes to the same weights
 * --hang N     processes stand still for a minute each, N times, and nothing else happens
 * --seed N     repeats the choices of a run, which it prints
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import type { DisturbedMesh } from '../test/end-to-end/disturbed-mesh.ts';
import { disturbedRun, type GoingRun, type Outcome } from '../test/end-to-end/disturbed-run.ts';
import type { KeptProcess } from '../test/end-to-end/kept-process.ts';
import { hasSeparateNetworks } from '../test/end-to-end/separate-networks.ts';
import { makeSmallCorpus } from '../test/end-to-end/small-run.ts';
import { createRandom } from '../test/support/random.ts';
import { restartAndCut } from './chaos/cut-networks.ts';
import { killedOnPolicy } from './chaos/killed-on-policy.ts';

/** Text for each kill, enough that training is left to do at every one. */
const bytesOfDomainAKill = 800;
const leastBytesOfDomain = 12_000;
/** With a cluster, at least as much as the cuts of its networks take. */
const bytesOfDomainWithCuts = 32_000;
/** Share of the run kept for after the last disturbance, so that it cannot come too late. */
const shareAfter = 0.15;
/** A disturbance comes at most this many milliseconds after the step that it waits for. */
const within = 2_000;
const deletions = 3;
const deletedMessages = 100;
/** Most messages of each stream: few, so that they fill while the trainer stands still. */
const most = 60;
const settings = [
  `nats.maxDocuments=${most}`,
  `nats.maxDistributions=${most}`,
  'trainer.evaluateEvery=10000',
];
const frozenFor = 30_000;
const hangsFor = 60_000;
/** How much the memory of a waiting teacher may grow. */
const mostGrowth = 0.05;

const { values } = parseArgs({
  options: {
    kills: { type: 'string' },
    cluster: { type: 'boolean', default: false },
    'on-policy': { type: 'boolean', default: false },
    hang: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const onPolicy = values['on-policy'];
const kills = Number(values.kills ?? (values.cluster || onPolicy ? 20 : 50));
const hangs = Number(values.hang);
console.log(`Seed ${values.seed}; --kills ${kills} --seed ${values.seed} repeats the choices.`);
const random = createRandom(Number(values.seed));
const corpus = await makeSmallCorpus({
  bytesOfDomain: Math.max(
    values.cluster ? bytesOfDomainWithCuts : leastBytesOfDomain,
    bytesOfDomainAKill * (hangs || kills),
  ),
});
try {
  if (onPolicy) {
    const { mesh, orphans } = await killedOnPolicy(corpus, { kills, random, told });
    for (const part of mesh.parts) console.log(`  ${livesOf(part)}`);
    refuseOrphans('on-policy', orphans);
  } else await disturbedInTurn();
} finally {
  await corpus.remove();
}

async function disturbedInTurn(): Promise<void> {
  const undisturbed = await disturbedRun(corpus, `chaos-undisturbed-${process.pid}`, { settings });
  console.log(`Undisturbed: ${told(undisturbed)}`);

  const killed = atRandom(kills, async ({ mesh }) => {
    const part = anyPart(mesh);
    await part.kill();
    return part.name;
  });
  const deleted = atRandom(deletions, async ({ mesh, reaches }) => {
    // Before the first step the streams may not be there yet.
    await reaches(1);
    await mesh.deleteLast(deletedMessages);
    return `the last ${deletedMessages} messages of each stream`;
  });
  const wiped = atRandom(1, async ({ mesh }) => {
    await mesh.wipeStore();
    return 'the whole store';
  });
  const lost = atRandom(1, async ({ mesh }) => {
    const server = mesh.servers.at(-1)!;
    await server.lose();
    return `${server.name}, for good`;
  });
  const hung = atRandom(hangs, async ({ mesh }) => {
    const part = oneOf([...mesh.teachers, mesh.trainer, ...mesh.servers].filter(({ runs }) => runs));
    await part.freeze(hangsFor);
    return `${part.name} stood still for ${hangsFor / 1000} s`;
  });
  if (hangs > 0) await disturbed('hung', hung);
  else if (values.cluster) {
    await disturbed('killed', async (going) => {
      await Promise.all([killed(going), lost(going)]);
    });
    if (await hasSeparateNetworks()) {
      const cut = (going: GoingRun) => restartAndCut(going, undisturbed.state.step);
      await disturbed('networks cut', cut, { apart: true });
    } else console.log('Networks are not cut: that takes root, on Linux.');
  } else {
    await disturbed('killed', killed);
    await disturbed('messages deleted', deleted);
    await disturbed('store wiped', wiped);
    await disturbed('trainer frozen', frozen);
  }

  /** Disturbs so many times, spread over the run. */
  function atRandom(times: number, disturb: (going: GoingRun) => Promise<string>) {
    const stepsEach = (undisturbed.state.step * (1 - shareAfter)) / times;
    return async (going: GoingRun): Promise<void> => {
      for (let i = 0; i < times; i++) {
        const after = Math.floor((i + random()) * stepsEach);
        await going.reaches(after);
        await sleep(within * random());
        console.log(`  ${i + 1} of ${times}, after step ${after}: ${await disturb(going)}`);
      }
    };
  }

  async function disturbed(
    what: string,
    disturb: (going: GoingRun) => Promise<void>,
    { apart = false } = {},
  ): Promise<void> {
    const run = `chaos-${what.replaceAll(' ', '-')}-${process.pid}`;
    const servers = values.cluster ? 3 : 1;
    const outcome = await disturbedRun(corpus, run, { disturb, settings, servers, apart });
    console.log(`${what}: ${told(outcome)}`);
    for (const part of outcome.mesh.parts) console.log(`  ${livesOf(part)}`);
    compare(what, outcome, undisturbed);
  }
}

/** Picks the trainer as often as all teachers together, and NATS and the feeder now and then. */
function anyPart({ trainer, teachers, feeder, servers }: DisturbedMesh): KeptProcess {
  const nats = servers.length > 1 ? servers : [...servers, ...servers];
  return oneOf([...teachers.map(() => trainer), ...teachers, feeder, ...nats].filter(({ runs }) => runs));
}

function oneOf(parts: readonly KeptProcess[]): KeptProcess {
  return parts[Math.floor(random() * parts.length)];
}

/** Teachers must fill the streams and then wait, without using more memory. */
async function frozen({ mesh, reaches }: GoingRun): Promise<void> {
  // After the first step the teachers are attached, and the documents still to come more than fill the streams.
  await reaches(1);
  const thawed = mesh.trainer.freeze(frozenFor);
  await sleep(frozenFor / 3);
  const before = mesh.teachers.map(({ bytes }) => bytes);
  await sleep(frozenFor / 2);
  const after = mesh.teachers.map(({ bytes }) => bytes);
  const { documents, distributions } = await mesh.held();
  await thawed;
  const growth = Math.max(...after.map((bytes, i) => bytes / before[i] - 1));
  const held = `${documents} documents and ${distributions} distributions held, teachers' memory ${(100 * growth).toFixed(1)} %`;
  if (growth > mostGrowth || documents > most + 1 || distributions > most * mesh.teachers.length) {
    throw new FuseMeshError('resource_exhausted', held);
  }
  if (documents < most || distributions < most * mesh.teachers.length) {
    throw new FuseMeshError('failed_precondition', `The streams did not fill: ${held} more.`);
  }
  console.log(`  for ${frozenFor / 1000} s: ${held} more`);
}

function compare(what: string, outcome: Outcome, undisturbed: Outcome): void {
  if (outcome.weights !== undisturbed.weights) {
    throw new FuseMeshError('data_loss', `${what}: the fused models differ.`);
  }
  if (JSON.stringify(outcome.state) !== JSON.stringify(undisturbed.state)) {
    throw new FuseMeshError('data_loss', `${what}: ${JSON.stringify(outcome.state)}`);
  }
  refuseOrphans(what, outcome.orphans);
}

function refuseOrphans(what: string, orphans: readonly number[]): void {
  if (orphans.length === 0) return;
  throw new FuseMeshError('failed_precondition', `${what}: processes ${orphans} are left.`);
}

function told({ weights, state, seconds }: Outcome): string {
  return `${seconds} s, ${state.documents} documents in ${state.step} steps, ${weights.slice(0, 16)}`;
}

function livesOf({ name, lives }: KeptProcess): string {
  const megabytes = lives.map(({ peakBytes }) => Math.round(peakBytes / 2 ** 20));
  const ownEnds = lives.flatMap(({ end }) => (typeof end === 'object' && end.code !== 0 ? [end.said] : []));
  const complaints = ownEnds.map((said) => `\n    ended by itself: ${said.trim().split('\n').at(-1)}`);
  return `${name}: ${lives.length} lives, peaks in MiB ${megabytes.join(' ')}${complaints.join('')}`;
}
