import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRunConfig } from '../../process/config/load-config.ts';
import { zoo } from '../fusion/zoo-documents.ts';
import { type LlamaSizes, largerSizes, writeRandomLlama, zooSizes } from '../random-llama.ts';
import type { Figure } from '../report.ts';
import { between, type Calibration, calibrate } from './calibrate.ts';
import { meshOf, placeHere } from './planned-mesh.ts';
import { runMesh } from './real-run.ts';
import { sampleCorpus } from './sample-corpus.ts';
import { simulate } from './simulate.ts';

const contextLength = 128;
/** How long a run is to take. */
const wantedSeconds = 40;
/** Share of a run's steps that pass before it is timed: teachers begin while the trainer still loads its model. */
const untimed = 0.2;
/** A checkpoint takes bytes that no simulation of seconds is about: few enough to be written at once. */
const checkpointBytes = 0;
const natsBytesPerSecond = 200e6;

const smaller = zooSizes(contextLength);
/** 4 M parameters. */
const medium: LlamaSizes = { ...smaller, hidden_size: 256, intermediate_size: 688 };
const larger: LlamaSizes = { ...largerSizes(contextLength), vocab_size: smaller.vocab_size };

interface Case {
  readonly name: string;
  readonly teachers: Readonly<Record<string, { readonly sizes: LlamaSizes; readonly replicas: number }>>;
  readonly target: LlamaSizes;
}

const cases: readonly Case[] = [
  {
    name: 'bound by a teacher',
    teachers: { orator: { sizes: larger, replicas: 1 } },
    target: smaller,
  },
  {
    name: 'bound by the trainer',
    teachers: { orator: { sizes: smaller, replicas: 1 } },
    target: medium,
  },
  {
    name: 'two replicas and another teacher share the cores with the trainer',
    teachers: {
      orator: { sizes: medium, replicas: 2 },
      novelist: { sizes: smaller, replicas: 1 },
    },
    target: smaller,
  },
];

/**
 * Three runs of real processes on this machine against what the simulation says of them: each is measured part by part
 * before and behind it, and timed behind its first steps.
 */
export async function checkPlans(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const one of cases) figures.push(await checkPlan(one));
  return figures;
}

async function checkPlan({ name, teachers, target }: Case): Promise<Figure> {
  const directory = await mkdtemp(join(tmpdir(), 'fusemesh-bench-plan-'));
  try {
    const runFile = join(directory, 'run.yaml');
    for (const [teacher, { sizes }] of Object.entries(teachers)) await writeModel(directory, teacher, sizes);
    await writeModel(directory, 'target', target);
    const write = (steps: number | undefined) => writeFile(runFile, runFileOf(Object.keys(teachers), steps));
    await write(undefined);
    const replicasOf = (teacher: string) => teachers[teacher].replicas;
    const whole = await loadRunConfig(runFile);
    const corpus = await sampleCorpus(whole);
    const simulated = (calibration: Calibration, steps: number) => {
      const placed = placeHere(whole, calibration, replicasOf);
      return simulate({ ...meshOf(whole, placed, { corpus, checkpointBytes, natsBytesPerSecond }), steps });
    };
    const before = await calibrate(runFile, whole, corpus);
    const all = simulated(before, Math.ceil(corpus.documents / whole.trainer.batchDocuments));
    const steps = Math.max(10, all.stepEnds.findLastIndex((end) => end < wantedSeconds) + 1);
    await write(steps);
    const measured = timed(await runMesh(runFile, await loadRunConfig(runFile), replicasOf));
    const after = await calibrate(runFile, whole, corpus);
    console.error(`${name}:\n  before: ${told(before)}\n  after:  ${told(after)}`);
    const predicted = timed([...simulated(between(before, after), steps).stepEnds]);
    return {
      name: `${name}: ${steps} steps`,
      value: predicted,
      unit: 's',
      baseline: measured,
      ratio: predicted / measured,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const timed = (ends: readonly number[]): number => ends.at(-1)! - ends[Math.floor(ends.length * untimed)];

async function writeModel(directory: string, name: string, sizes: LlamaSizes): Promise<void> {
  const model = join(directory, name);
  await cp(join(zoo, name), model, {
    recursive: true,
    filter: (path) => !/(config\.json|\.safetensors)$/.test(path),
  });
  await writeRandomLlama(model, sizes);
}

/** JSON is YAML. */
const runFileOf = (teachers: readonly string[], steps: number | undefined): string =>
  JSON.stringify({
    run: 'bench-plan',
    contextLength,
    topK: 20,
    corpus: ['speeches', 'fiction', 'manuals'].map((domain) => ({
      domain,
      path: join(zoo, 'corpus', `${domain}.txt`),
    })),
    nats: { maxDocuments: 128, maxDistributions: 128 },
    teachers: teachers.map((name) => ({ name, address: '127.0.0.1:0', model: name })),
    target: { model: 'target' },
    trainer: {
      output: 'output',
      address: '127.0.0.1:0',
      metricsPort: 0,
      threads: 1,
      batchDocuments: 4,
      checkpointEvery: 16,
      steps,
    },
  });

const told = ({ sources, trainer, cores, efficiency }: Calibration): string => {
  const speeds = sources.map(({ secondsPerToken }) => Math.round(1 / secondsPerToken));
  const training = Math.round(1 / trainer.secondsPerToken);
  return `scoring ${speeds} tokens/s, training ${training} tokens/s and ${(1000 * trainer.secondsPerStep).toFixed(1)} ms a step, fusion ${(1e6 * trainer.fusionSecondsPerToken).toFixed(0)} µs a token, ${cores} cores at ${efficiency.toFixed(2)}`;
};
