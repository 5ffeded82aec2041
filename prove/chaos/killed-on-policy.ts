import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { DisturbedMesh } from '../../test/end-to-end/disturbed-mesh.ts';
import { disturbedRun, type Outcome } from '../../test/end-to-end/disturbed-run.ts';
import type { KeptProcess } from '../../test/end-to-end/kept-process.ts';
import { type SmallCorpus, smallTrainer } from '../../test/end-to-end/small-run.ts';

const steps = 60;
const staleness = 1;
const { batchDocuments } = smallTrainer;
/** Share of the run kept for after the last kill. */
const shareAfter = 0.1;
const within = 2_000;

/** What is looked at of a line of the journal. */
interface Line {
  readonly document: number;
  readonly weightsStep: number;
}

/**
 * A run in which the target writes half of the documents, with every process killed now and then. Which weights write a
 * document depends on time, so no undisturbed run has the same. But what was written is in the journal: the run is done
 * again from it alone, and must come to the same weights.
 *
 * @param options.random between 0 and 1
 * @throws FuseMeshError data_loss where a document is missing, comes twice or is too stale, or the weights differ
 */
export async function killedOnPolicy(
  corpus: SmallCorpus,
  {
    kills,
    random,
    told,
  }: {
    readonly kills: number;
    readonly random: () => number;
    readonly told: (outcome: Outcome) => string;
  },
): Promise<Outcome> {
  const run = `chaos-on-policy-${process.pid}`;
  const prompts = join(corpus.directory, 'prompts.jsonl');
  await writePrompts(corpus, prompts);
  const options = {
    onPolicy: true,
    settings: [
      `trainer.steps=${steps}`,
      'trainer.evaluateEvery=10000',
      'onPolicy.share=0.5',
      `onPolicy.staleness=${staleness}`,
    ],
    changes: { onPolicy: { prompts: [{ domain: 'own', path: prompts }], maxNewTokens: 24 } },
  };
  const disturbed = await disturbedRun(corpus, run, {
    ...options,
    disturb: async ({ mesh, reaches }) => {
      const stepsEach = (steps * (1 - shareAfter)) / kills;
      for (let i = 0; i < kills; i++) {
        const after = Math.floor((i + random()) * stepsEach);
        await reaches(after);
        await sleep(within * random());
        const part = anyPart(mesh, random);
        await part.kill();
        console.log(`  ${i + 1} of ${kills}, after step ${after}: ${part.name}`);
      }
    },
  });
  console.log(`killed: ${told(disturbed)}`);
  const { output } = disturbed;
  const journal = await readJournal(output);
  refuseWrongJournal(journal, disturbed);
  console.log(`  ${journal.length} rollouts in the journal, each once, none by weights older than it may be`);

  // Again, from the journal alone.
  const kept = join(corpus.directory, 'rollouts.jsonl');
  await cp(join(output, 'rollouts.jsonl'), kept);
  await rm(output, { recursive: true });
  await rm(join(corpus.directory, `${run}-nats`), { recursive: true });
  await mkdir(output, { recursive: true });
  await cp(kept, join(output, 'rollouts.jsonl'));
  const again = await disturbedRun(corpus, run, options);
  console.log(`again from the journal: ${told(again)}`);
  if (again.weights !== disturbed.weights) {
    throw new FuseMeshError('data_loss', 'The weights of the run and of its journal differ.');
  }
  if (JSON.stringify(again.state) !== JSON.stringify(disturbed.state)) {
    const states = [disturbed, again].map(({ state }) => JSON.stringify(state)).join(' and ');
    throw new FuseMeshError('data_loss', `The run and its journal were counted differently: ${states}.`);
  }
  return disturbed;
}

/** Whoever runs; the trainer and the writers most often. */
function anyPart(
  { trainer, teachers, feeder, writers, servers }: DisturbedMesh,
  random: () => number,
): KeptProcess {
  const parts = [trainer, trainer, trainer, ...teachers, feeder, feeder, ...writers, ...writers, ...servers];
  const running = parts.filter(({ runs }) => runs);
  return running[Math.floor(random() * running.length)];
}

async function writePrompts({ directory }: SmallCorpus, path: string): Promise<void> {
  const text = await readFile(join(directory, 'speeches.txt'), 'utf8');
  const rows = text.split(/\n+/).filter((line) => line.length > 40);
  await writeFile(path, rows.map((line) => `${JSON.stringify({ prompt: line.slice(0, 40) })}\n`).join(''));
}

async function readJournal(output: string): Promise<Line[]> {
  const [, ...lines] = (await readFile(join(output, 'rollouts.jsonl'), 'utf8')).trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Line);
}

function refuseWrongJournal(journal: readonly Line[], { state }: Outcome): void {
  const problems: string[] = [];
  const numbers = new Set(journal.map(({ document }) => document));
  if (numbers.size < journal.length) problems.push('it has a document twice');
  // The share is a half: every other document is a rollout.
  for (let document = 0; document + 1 < state.documents; document += 2) {
    if (!numbers.has(document) && !numbers.has(document + 1))
      problems.push(`it lacks ${document} or the next`);
  }
  for (const { document, weightsStep } of journal) {
    const trained = Math.floor(document / batchDocuments);
    if (weightsStep < trained - staleness) problems.push(`${document} is by weights of step ${weightsStep}`);
  }
  if (problems.length > 0) {
    throw new FuseMeshError('data_loss', `The journal of the rollouts is wrong: ${problems.join('; ')}.`);
  }
}
