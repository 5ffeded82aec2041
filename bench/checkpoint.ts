/** How long a training waits for its checkpoints, which are written while it goes on. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { textsAlone } from '../engine/training-batch.ts';
import { TrainingEngine } from '../engine/training-engine.ts';
import type { StepBatch } from '../fusion/batch/batches.ts';
import { emptyCount } from '../fusion/fuse/fuse-document.ts';
import { Notifier } from '../process/lifecycle/notifier.ts';
import { createLog } from '../process/log/log.ts';
import { startCheckpointWriter } from '../trainer/checkpoint/checkpoint-writer.ts';
import { initialState } from '../trainer/checkpoint/training-state.ts';
import { train } from '../trainer/loop.ts';
import type { StepReport } from '../trainer/report/step-report.ts';
import { TimeSpent } from '../trainer/report/time-spent.ts';
import { TrainingControl } from '../trainer/report/training-control.ts';
import { writeRandomLlama } from './random-llama.ts';
import { type Figure, report } from './report.ts';
import { engineOptions } from './training/engine-options.ts';
import { growingLlamas, type SizedLlama } from './training/sized-llama.ts';

const threads = 2;
const [steps, checkpointEvery] = [30, 10];

function batchOf({ sizes, documents, length }: SizedLlama): StepBatch {
  const ids = (document: number) =>
    Int32Array.from({ length }, (_, i) => (i * (document + 3)) % sizes.vocab_size);
  const batch = textsAlone(
    Array.from({ length: documents }, (_, i) => ids(i)),
    1,
  );
  const count = { ...emptyCount(1), positions: documents * (length - 1) };
  const numbers = Array.from({ length: documents }, (_, i) => i);
  return {
    batch,
    count,
    documents: numbers,
    passedOver: [],
    droppedRollouts: 0,
    rollouts: [],
    chosenSources: numbers.map(() => 0),
    absentSources: [],
    fusionSeconds: 0,
  };
}

async function* repeated(batch: StepBatch): AsyncGenerator<StepBatch> {
  for (let step = 0; step < steps; step++) yield batch;
}

async function reportsOf(llama: SizedLlama): Promise<StepReport[]> {
  const root = await mkdtemp(join(tmpdir(), 'fusemesh-bench-'));
  await writeRandomLlama(root, llama.sizes);
  const assembled = batchOf(llama);
  const engine = await TrainingEngine.start(root, engineOptions(assembled.batch, threads));
  const writer = startCheckpointWriter();
  const place = { directory: join(root, 'checkpoints'), model: root, keep: 2 };
  const reports: StepReport[] = [];
  try {
    await train({
      engine,
      batches: repeated(assembled),
      state: initialState('bench', ''),
      resumedFrom: undefined,
      schedule: { kind: 'constant', peak: 1e-4, warmupSteps: 0, totalSteps: steps },
      sources: ['nobody'],
      checkpointEvery,
      control: new TrainingControl(new Notifier()),
      signal: new AbortController().signal,
      log: createLog('bench', { level: 'silent' }),
      save: (state, snapshot) => writer.write(place, state, snapshot),
      time: new TimeSpent(),
      report: (step) => reports.push(step),
    });
  } finally {
    await engine.close();
    await writer.stop();
    await rm(root, { recursive: true });
  }
  return reports;
}

const figures: Figure[] = [];
for (const llama of growingLlamas.filter(({ name }) => /^(4|16|64) M/.test(name))) {
  const reports = await reportsOf(llama);
  const sum = (of: (step: StepReport) => number) => reports.reduce((all, step) => all + of(step), 0);
  const waited = sum(({ time }) => time.checkpoint);
  figures.push(
    {
      name: `${llama.name}: waiting`,
      value: (100 * waited) / (sum(({ seconds }) => seconds) + waited),
      unit: '% of the time',
    },
    {
      name: `${llama.name}: a checkpoint`,
      value: (1000 * waited) / (steps / checkpointEvery - 1),
      unit: 'ms',
    },
  );
}
report('checkpoint', figures);
