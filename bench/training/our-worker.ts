/** Our side of the benchmark `train`: JSON lines as bench/rivals/torch_train.py describes them. */
import { createInterface } from 'node:readline';
import type { TrainingBatch } from '../../engine/training-batch.ts';
import { TrainingEngine } from '../../engine/training-engine.ts';
import { engineOptions } from './engine-options.ts';
import type { Request, Trained } from './request.ts';

const [directory, threads] = process.argv.slice(2);

function toBatch({ inputIds, labels, fusedIds, fusedProbabilities }: Request): TrainingBatch {
  return {
    lengths: inputIds.map((row) => row.length),
    candidates: fusedIds[0][0].length,
    inputIds: Int32Array.from(inputIds.flat()),
    labels: Int32Array.from(labels.flat()),
    fusedIds: Int32Array.from(fusedIds.flat(2)),
    fusedProbabilities: Float32Array.from(fusedProbabilities.flat(2)),
    fusedTail: new Float32Array(labels.flat().length),
  };
}

console.log(JSON.stringify({ ready: true }));
let engine: TrainingEngine | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Request;
  const batch = toBatch(request);
  engine ??= await TrainingEngine.start(directory, {
    ...engineOptions(batch, Number(threads)),
    lambda: request.lambda,
  });
  const began = performance.now();
  const { loss, tokens } = await engine.step(batch, request.learningRate);
  const seconds = (performance.now() - began) / 1000;
  const answer: Trained = { seconds, loss, tokens, peakBytes: process.resourceUsage().maxRSS * 1024 };
  console.log(JSON.stringify(answer));
}
await engine?.close();
