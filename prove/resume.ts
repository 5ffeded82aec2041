/**
 * A trainer killed ten times at random moments ends with the same fused model, to the bit.
 *
 * --seed N    repeats a run, which prints its seed
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { runCommand, startCommand } from '../test/end-to-end/command.ts';
import {
  killTrainer,
  makeSmallCorpus,
  newestCheckpointStep,
  writeRunFile,
} from '../test/end-to-end/small-run.ts';
import { createRandom } from '../test/support/random.ts';
import { FollowedTrainer } from './followed-trainer.ts';

const kills = 10;
/** Share of the run kept for after the last kill, so that it cannot come too late. */
const shareAfterKills = 0.1;

const { values } = parseArgs({
  options: { seed: { type: 'string', default: String(Date.now() % 1_000_000) } },
});
console.log(`Seed ${values.seed}; --seed ${values.seed} repeats it.`);
const random = createRandom(Number(values.seed));
const corpus = await makeSmallCorpus({ bytesOfDomain: 12_000 });
try {
  const undisturbed = await writeRunFile(corpus, { run: `prove-undisturbed-${process.pid}` });
  await runToTheEnd(undisturbed.path);
  const steps = await newestCheckpointStep(undisturbed.output);

  const killed = await writeRunFile(corpus, { run: `prove-killed-${process.pid}` });
  const stepsAKill = (steps * (1 - shareAfterKills)) / kills;
  for (let kill = 0; kill < kills; kill++) {
    const step = await runAndKill(killed, Math.floor((kill + random()) * stepsAKill), random());
    console.log(
      `Kill ${kill + 1}: ${step === 0 ? 'before its first step' : `after step ${step} of ${steps}`}`,
    );
  }
  await runToTheEnd(killed.path);

  const [expected, actual] = [await digest(undisturbed.output), await digest(killed.output)];
  console.log(`undisturbed  ${expected}\nkilled       ${actual}`);
  if (actual !== expected) {
    throw new FuseMeshError(
      'data_loss',
      `The fused models differ; --seed ${values.seed} repeats the moments.`,
    );
  }
} finally {
  await corpus.remove();
}

/**
 * Resumes the run and kills its trainer within two steps after the given one.
 *
 * @param fraction of these two steps, or of a second where no step is waited for; 0 to 1
 * @returns the last step of this trainer; 0 where it did none
 */
async function runAndKill(
  { path, output }: { path: string; output: string },
  step: number,
  fraction: number,
): Promise<number> {
  const up = startCommand(['up', path]);
  const trainer = await FollowedTrainer.of(up);
  await trainer.reaches(step);
  await sleep(1000 * fraction * (step === 0 ? 1 : 2 * trainer.stepSeconds));
  await killTrainer(output);
  const reached = trainer.step;
  await up.finished;
  return reached;
}

async function runToTheEnd(path: string): Promise<void> {
  const { code, stderr } = await runCommand(['up', path]);
  if (code !== 0) throw new FuseMeshError('failed_precondition', `The run ended with ${code}: ${stderr}`);
}

async function digest(output: string): Promise<string> {
  const weights = await readFile(join(output, 'model', 'model.safetensors'));
  return createHash('sha256').update(weights).digest('hex');
}
