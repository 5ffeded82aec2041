/** A whole run with its teachers and its trainer on a device, and the same with its trainer killed in the middle. */
import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { openSafetensors } from '../../model/safetensors/safetensors-file.ts';
import { runCommand, startCommand } from '../../test/end-to-end/command.ts';
import {
  killTrainer,
  makeSmallCorpus,
  newestCheckpointStep,
  writeRunFile,
  zoo,
} from '../../test/end-to-end/small-run.ts';
import { FollowedTrainer } from '../followed-trainer.ts';
import { work } from './job-worker.ts';
import type { RunRequest } from './requests.ts';
import { say } from './row.ts';

/** In parts of what training has added to the weights: sums in another order part from each other step by step. */
const tolerance = 0.02;

await work(async ({ place, bytesOfDomain, teachers, frozenCopy }: RunRequest) => {
  const address = '127.0.0.1:0';
  const { provider: execution, device } = place;
  // WebGPU and the processor are not numbered.
  const onDevice = execution === 'cuda' ? { execution, device } : { execution };
  const changes = {
    teachers: teachers.map((name) => ({ name, address, model: join(zoo, name), ...onDevice })),
    target: {
      model: join(zoo, 'target'),
      ...(frozenCopy ? { source: { address, ...onDevice } } : {}),
    },
    heldOut: [{ domain: 'speeches', path: 'speeches.txt' }],
  };
  const settings = [
    ...Object.entries(onDevice).map(([key, value]) => `trainer.${key}=${value}`),
    'trainer.batchDocuments=2',
    'trainer.checkpointEvery=1',
    // Evaluations prove nothing here, and a device of software would spend most of its time on them.
    'trainer.evaluateEvery=1000000',
  ].flatMap((setting) => ['--set', setting]);
  const corpus = await makeSmallCorpus({ bytesOfDomain });
  try {
    const began = performance.now();
    const undisturbed = await writeRunFile(corpus, { run: 'undisturbed', changes });
    await runToTheEnd(undisturbed.path);
    const seconds = (performance.now() - began) / 1000;
    const steps = await newestCheckpointStep(undisturbed.output);
    say({ name: 'undisturbed', figures: { steps, seconds } });

    const killed = await writeRunFile(corpus, { run: 'killed', changes });
    const up = startCommand(['up', killed.path, ...settings]);
    const trainer = await FollowedTrainer.of(up);
    await trainer.reaches(Math.ceil(steps / 2));
    await killTrainer(killed.output);
    const at = trainer.step;
    await up.finished;
    const resumedFrom = await newestCheckpointStep(killed.output);
    await runToTheEnd(killed.path);
    const difference = await weightDifference(undisturbed.output, killed.output);
    say({
      name: `killed after step ${at}, resumed from step ${resumedFrom}`,
      figures: { steps: await newestCheckpointStep(killed.output), 'difference of the weights': difference },
      ok: difference <= tolerance,
      note: difference === 0 ? 'the same bits' : `${tolerance} of what training has added is allowed`,
    });
  } finally {
    await corpus.remove();
  }

  async function runToTheEnd(path: string): Promise<void> {
    const { code, stderr } = await runCommand(['up', path, ...settings]);
    if (code !== 0) throw new FuseMeshError('failed_precondition', `The run ended with ${code}: ${stderr}`);
  }
});

/** L2 norm of the difference of two runs' models, in parts of that of what the first run has added to the target. */
async function weightDifference(first: string, second: string): Promise<number> {
  const files = await Promise.all(
    [join(zoo, 'target'), join(first, 'model'), join(second, 'model')].map((directory) =>
      openSafetensors(join(directory, 'model.safetensors')),
    ),
  );
  let [difference, movement] = [0, 0];
  for (const name of files[1].tensors.keys()) {
    const [before, one, other] = await Promise.all(files.map((file) => file.readFloat32(name)));
    for (let i = 0; i < one.length; i++) {
      difference += (one[i] - other[i]) ** 2;
      movement += (one[i] - before[i]) ** 2;
    }
  }
  await Promise.all(files.map((file) => file.close()));
  return Math.sqrt(difference / movement);
}
