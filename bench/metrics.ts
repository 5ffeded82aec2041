/** What it costs the trainer to be seen: metrics, curves, a scraper, an open page. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toJsonString } from '@bufbuild/protobuf';
import {
  GetHistoryResponseSchema,
  GetStatusResponseSchema,
} from '../mesh/generated/fusemesh/v1/trainer_pb.ts';
import { createLog } from '../mesh/log/log.ts';
import { createRegister } from '../mesh/metrics/create-register.ts';
import { batchesOf, type FusedBatch } from '../trainer/batch/batches.ts';
import { Change } from '../trainer/change.ts';
import { initialState } from '../trainer/checkpoint/training-state.ts';
import { TrainingEngine } from '../trainer/engine/training-engine.ts';
import type { Fusion } from '../trainer/fusion-of-run.ts';
import { historyMessage } from '../trainer/history/history-message.ts';
import { TrainerMetrics } from '../trainer/metrics.ts';
import { RunRecord } from '../trainer/run-record.ts';
import { RunStatus } from '../trainer/run-status.ts';
import { relateSource } from '../trainer/sources/relate-source.ts';
import { statusMessage } from '../trainer/status-message.ts';
import { TimeSpent } from '../trainer/time-spent.ts';
import { train } from '../trainer/train.ts';
import { TrainingControl } from '../trainer/training-control.ts';
import { zoo, zooDocuments } from './fusion/zoo-documents.ts';
import { type Figure, report } from './report.ts';
import { engineOptions } from './training/engine-options.ts';

const [rounds, steps] = [6, 60];
/** Prometheus looks every 5 s where we configure it, the page every second: here all look each second. */
const lookEvery = 1_000;
const topK = 10;
const batchDocuments = 4;

const fusion: Fusion = {
  ...{ align: 'boundary', vocabulary: 'prefix', candidates: topK, divergence: { kind: 'ce' } },
  settings: {
    ...{ combine: 'minCE', weights: {}, crossEntropyPer: 'byte', standIn: undefined },
    ...{ temperature: 1, truncated: 'renormalise' },
  },
};
const log = createLog('bench', { level: 'silent' });
const { joined, sources, target } = await zooDocuments({ documents: 64, topK });
const names = sources.map(({ teacher }) => teacher);
const relations = await Promise.all(
  sources.map(({ teacher, tokenizer }) => relateSource(teacher, tokenizer, target, fusion, log)),
);
const sizes = { contextLength: 256, candidates: topK, batchDocuments };

async function* batches(): AsyncGenerator<FusedBatch> {
  for (;;) {
    const documents = (async function* () {
      yield* joined;
    })();
    yield* batchesOf(documents, target, relations, fusion.settings, sizes, new AbortController().signal);
  }
}

/** What a run of some steps took: each step, and how much of all that time went into being seen. */
interface Taken {
  readonly stepSeconds: number[];
  readonly seenShare: number;
  readonly lookSeconds: number[];
}

async function run(engine: TrainingEngine, seen: boolean): Promise<Taken> {
  const output = await mkdtemp(join(tmpdir(), 'fusemesh-bench-'));
  const change = new Change();
  const control = new TrainingControl(change);
  const status = new RunStatus('bench', change, control);
  status.sources = () =>
    names.map((name) => ({
      ...{ name, attached: true, queueDepth: 16, documentsChosen: 1, tokensPerSecond: 4_000 },
      ...{ documentsScored: 100, waitingForRoom: false, documentsMissing: 0 },
      ...{ lagDocuments: 8, bytesReceived: 1_000_000, deadLetters: 0 },
    }));
  const register = createRegister({ run: 'bench' });
  const look = () => ({
    state: status.stateName,
    time: status.time.total,
    plannedSteps: steps,
    sources: status.sources(),
  });
  const metrics = new TrainerMetrics(register, look);
  const state = initialState('bench', '');
  const places = { status, metrics, tokenizer: target, log };
  const record = seen ? await RunRecord.open(output, places, { state, resumedFrom: undefined }) : undefined;

  const stepSeconds: number[] = [];
  const lookSeconds: number[] = [];
  let recordSeconds = 0;
  const lookOnce = async () => {
    const began = performance.now();
    await register.metrics();
    toJsonString(GetStatusResponseSchema, statusMessage(status));
    toJsonString(GetHistoryResponseSchema, historyMessage(status.history.since(stepSeconds.length - 20)));
    status.alignment();
    lookSeconds.push((performance.now() - began) / 1000);
  };
  const looking = seen ? setInterval(lookOnce, lookEvery) : undefined;
  const began = performance.now();
  let last = began;
  try {
    await train({
      engine,
      batches: batches(),
      ...{ state, resumedFrom: undefined, sources: names, control, log },
      schedule: { kind: 'constant', peak: 1e-4, warmupSteps: 0, totalSteps: steps },
      checkpointEvery: steps + 1,
      signal: new AbortController().signal,
      save: async () => output,
      time: seen ? status.time : new TimeSpent(),
      report: (step, batch) => {
        const started = performance.now();
        record?.step(step, batch);
        recordSeconds += (performance.now() - started) / 1000;
        stepSeconds.push((started - last) / 1000);
        last = started;
      },
    });
  } finally {
    clearInterval(looking);
    await record?.close();
    await rm(output, { recursive: true });
  }
  const seconds = (performance.now() - began) / 1000;
  const seenSeconds = recordSeconds + lookSeconds.reduce((sum, each) => sum + each, 0);
  return { stepSeconds: stepSeconds.slice(1), seenShare: seenSeconds / seconds, lookSeconds };
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

const engine = await TrainingEngine.start(
  join(zoo, 'target'),
  engineOptions({ lengths: [sizes.contextLength], candidates: topK }, 2),
);
const bare: number[] = [];
const seen: number[] = [];
const shares: number[] = [];
const looks: number[] = [];
try {
  await run(engine, true);
  for (let round = 0; round < rounds; round++) {
    bare.push(...(await run(engine, false)).stepSeconds);
    const taken = await run(engine, true);
    seen.push(...taken.stepSeconds);
    shares.push(taken.seenShare);
    looks.push(...taken.lookSeconds);
  }
} finally {
  await engine.close();
}
const figures: Figure[] = [
  {
    name: 'steps, seen against unseen',
    value: 1 / median(seen),
    unit: 'steps/s',
    baseline: 1 / median(bare),
    ratio: median(bare) / median(seen),
  },
  { name: 'time that being seen takes', value: 100 * median(shares), unit: '% of all' },
  { name: 'one look (scrape, page)', value: 1000 * median(looks), unit: 'ms' },
];
report('metrics', figures);
