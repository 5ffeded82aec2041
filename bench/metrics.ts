/** What it costs the trainer to be seen: metrics, curves, a scraper, an open page. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toJsonString } from '@bufbuild/protobuf';
import { TrainingEngine } from '../engine/training-engine.ts';
import { batchesOf, type FusedBatch } from '../fusion/batch/batches.ts';
import { relateSource } from '../fusion/relate-source.ts';
import { ContentEncoder } from '../model/chat/content-encoder.ts';
import { Notifier } from '../process/lifecycle/notifier.ts';
import { createLog } from '../process/log/log.ts';
import { createRegister } from '../process/metrics/create-register.ts';
import { openSecurity } from '../process/security/service-security.ts';
import { initialState } from '../trainer/checkpoint/training-state.ts';
import { Intake } from '../trainer/intake/intake.ts';
import { Source } from '../trainer/intake/sources/source.ts';
import { train } from '../trainer/loop.ts';
import { historyMessage } from '../trainer/report/history/history-message.ts';
import { type ObservedRun, TrainerMetrics } from '../trainer/report/metrics.ts';
import { RunRecord } from '../trainer/report/run-record.ts';
import { RunStatus } from '../trainer/report/run-status.ts';
import { statusMessage } from '../trainer/report/status-message.ts';
import { TimeSpent } from '../trainer/report/time-spent.ts';
import { TrainingControl } from '../trainer/report/training-control.ts';
import {
  GetAlignmentResponseSchema,
  GetHistoryResponseSchema,
  GetStatusResponseSchema,
} from '../wire/generated/fusemesh/v1/trainer_pb.ts';
import { zoo, zooDocuments } from './fusion/zoo-documents.ts';
import { fusion } from './mesh/sources.ts';
import { type Figure, report } from './report.ts';
import { engineOptions } from './training/engine-options.ts';

const [rounds, steps] = [8, 60];
/** Scrape interval of deploy/prometheus/prometheus.yml, and how often an open page asks, in milliseconds. */
const [scrapeEvery, pageEvery] = [5_000, 1_000];
const looksForMedian = 30;
const topK = 10;
const batchDocuments = 4;

const log = createLog('bench', { level: 'silent' });
const { joined, sources, target } = await zooDocuments({ documents: 64, topK });
const names = sources.map(({ teacher }) => teacher);
const relations = await Promise.all(
  sources.map(({ teacher, tokenizer }) =>
    relateSource(
      teacher,
      ContentEncoder.ofBaseModel(tokenizer),
      ContentEncoder.ofBaseModel(target),
      fusion,
      log,
    ),
  ),
);
const sizes = { contextLength: 256, candidates: topK, batchDocuments, passOver: async () => {} };

async function* batches(): AsyncGenerator<FusedBatch> {
  for (;;) {
    const documents = (async function* () {
      yield* joined;
    })();
    yield* batchesOf(documents, {
      ...sizes,
      encoder: target,
      relations: () => relations,
      settings: fusion.settings,
      signal: new AbortController().signal,
    });
  }
}

/** Times of a run, in seconds. */
interface Taken {
  readonly step: readonly number[];
  /** Recording a step in metrics and history; nothing where the run is not observed. */
  readonly record: readonly number[];
  readonly scrape: readonly number[];
  readonly page: readonly number[];
}

async function run(engine: TrainingEngine, seen: boolean): Promise<Taken> {
  const output = await mkdtemp(join(tmpdir(), 'fusemesh-bench-'));
  const notifier = new Notifier();
  const control = new TrainingControl(notifier);
  const register = createRegister({ run: 'bench' });
  const look = (): ObservedRun => ({
    state: status.stateName,
    time: record.time.total,
    plannedSteps: steps,
    sources: status.sources,
  });
  const metrics = new TrainerMetrics(register, look);
  const intake = new Intake(
    names.map((name) => new Source(name, 'nowhere:0', openSecurity)),
    metrics,
  );
  const record = new RunRecord({ metrics, notifier, log, sourceRates: () => intake.rates() });
  const status = new RunStatus('bench', { control, record, intake });
  const state = initialState('bench', '');
  if (seen) await record.resume(output, { state, resumedFrom: undefined });

  const taken = { step: [] as number[], record: [] as number[] };
  const scrape = () => register.metrics();
  const page = async () => {
    toJsonString(GetStatusResponseSchema, statusMessage(status));
    toJsonString(GetHistoryResponseSchema, historyMessage(record.history.since(taken.step.length - 20)));
    toJsonString(GetAlignmentResponseSchema, record.alignment!);
  };
  const looking = seen ? [setInterval(scrape, scrapeEvery), setInterval(page, pageEvery)] : [];
  let last = performance.now();
  try {
    await train({
      engine,
      batches: batches(),
      state,
      resumedFrom: undefined,
      sources: names,
      control,
      log,
      schedule: { kind: 'constant', peak: 1e-4, warmupSteps: 0, totalSteps: steps },
      checkpointEvery: steps + 1,
      signal: new AbortController().signal,
      save: async () => output,
      time: seen ? record.time : new TimeSpent(),
      report: (step, batch) => {
        const began = performance.now();
        if (seen) record.step(step, batch, target);
        const ended = performance.now();
        taken.record.push((ended - began) / 1000);
        taken.step.push((ended - last) / 1000);
        last = ended;
      },
    });
    const looks = seen ? looksForMedian : 0;
    return { ...taken, scrape: await secondsOf(looks, scrape), page: await secondsOf(looks, page) };
  } finally {
    for (const timer of looking) clearInterval(timer);
    await record.close();
    await rm(output, { recursive: true });
  }
}

async function secondsOf(times: number, task: () => Promise<unknown>): Promise<number[]> {
  const seconds: number[] = [];
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    await task();
    seconds.push((performance.now() - began) / 1000);
  }
  return seconds;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

const engine = await TrainingEngine.start(
  join(zoo, 'target'),
  engineOptions({ lengths: [sizes.contextLength], candidates: topK }, 2),
);
const bare: Taken[] = [];
const seen: Taken[] = [];
try {
  await run(engine, true);
  for (let round = 0; round < rounds; round++) {
    bare.push(await run(engine, false));
    seen.push(await run(engine, true));
  }
} finally {
  await engine.close();
}
const of = (taken: readonly Taken[], kind: keyof Taken) => median(taken.flatMap((each) => each[kind]));
const recordShare = of(seen, 'record') / of(seen, 'step');
const scrapeShare = (1000 * of(seen, 'scrape')) / scrapeEvery;
const pageShare = (1000 * of(seen, 'page')) / pageEvery;
const figures: Figure[] = [
  { name: 'taking down a step', value: 1e6 * of(seen, 'record'), unit: 'µs' },
  { name: 'a scrape', value: 1000 * of(seen, 'scrape'), unit: 'ms' },
  { name: "an open page's second", value: 1000 * of(seen, 'page'), unit: 'ms' },
  { name: 'metrics and curves', value: 100 * (recordShare + scrapeShare), unit: '% of the time' },
  { name: 'with an open page', value: 100 * (recordShare + scrapeShare + pageShare), unit: '% of the time' },
  {
    name: 'steps, seen against unseen',
    value: 1 / of(seen, 'step'),
    unit: 'steps/s',
    baseline: 1 / of(bare, 'step'),
    ratio: of(bare, 'step') / of(seen, 'step'),
  },
];
report('metrics', figures);
