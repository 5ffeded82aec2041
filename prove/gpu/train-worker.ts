/** Our speed of training a Llama. */
import { availableParallelism } from 'node:os';
import { TrainingEngine } from '../../engine/training-engine.ts';
import { optionsFor } from '../../test/support/engine-options.ts';
import { work } from './job-worker.ts';
import { fusedBatch, randomTexts } from './llamas.ts';
import { candidates, type SpeedRequest } from './requests.ts';
import { say } from './row.ts';
import { medianSeconds } from './turns.ts';

const learningRate = 1e-4;
const threads = availableParallelism();

await work(async ({ execution, llama, seconds }: SpeedRequest) => {
  const batch = fusedBatch(randomTexts(llama), candidates, llama.sizes);
  const engine = await TrainingEngine.start(llama.directory, {
    ...optionsFor(batch),
    threads,
    execution,
  });
  const first = await engine.step(batch, learningRate);
  let last = first;
  const turn = async () => {
    last = await engine.step(batch, learningRate);
  };
  const median = await medianSeconds(seconds, turn);
  say({
    figures: {
      'tokens/s': batch.inputIds.length / median,
      'kB up/step': last.bytesToDevice / 1000,
      'kB down/step': last.bytesFromDevice / 1000,
      'host GiB': process.resourceUsage().maxRSS / 2 ** 20,
      'first loss': first.causalLoss,
    },
    ...(last.finite ? {} : { note: `loss ${last.loss}, gradient norm ${last.gradientNorm}` }),
  });
  await engine.close();
});
