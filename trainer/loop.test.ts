import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TrainedTensor } from '../engine/engine-snapshot.ts';
import { TrainingEngine } from '../engine/training-engine.ts';
import type { StepBatch } from '../fusion/batch/batches.ts';
import { emptyCount } from '../fusion/fuse/fuse-document.ts';
import { Notifier } from '../process/lifecycle/notifier.ts';
import { createLog } from '../process/log/log.ts';
import { optionsFor } from '../test/support/engine-options.ts';
import { goldenModel } from '../test/support/golden.ts';
import { RolloutSchema } from '../wire/generated/fusemesh/v1/corpus_pb.ts';
import { startCheckpointWriter } from './checkpoint/checkpoint-writer.ts';
import { readSnapshot, type SavedCheckpoint } from './checkpoint/read-checkpoint.ts';
import { resumePoint } from './checkpoint/resume-point.ts';
import { type Evaluation, train } from './loop.ts';
import type { StepReport } from './report/step-report.ts';
import { TimeSpent } from './report/time-spent.ts';
import { TrainingControl } from './report/training-control.ts';
import { BackgroundWeights } from './weights/background-weights.ts';

const model = goldenModel('llama-grouped-tied');
const lengths = [6, 6];
const candidates = 2;
const positions = 12;
const steps = 6;
const log = createLog('test', { level: 'silent' });
let output: string;

beforeEach(async () => {
  output = await mkdtemp(join(tmpdir(), 'train-'));
});
afterEach(() => rm(output, { recursive: true }));

/** The batch of a step: the same for the same step, whoever asks. */
function batchOf(step: number): StepBatch {
  const ids = (factor: number, n: number) =>
    Int32Array.from({ length: n }, (_, i) => (factor * (i + step)) % 17);
  const batch = {
    lengths,
    candidates,
    inputIds: ids(5, positions),
    labels: ids(3, positions),
    fusedIds: ids(7, positions * candidates),
    fusedProbabilities: new Float32Array(positions * candidates).fill(0.5),
    fusedTail: new Float32Array(positions),
  };
  const count = { ...emptyCount(2), positions, aligned: positions };
  const documents = [2 * step - 2, 2 * step - 1];
  const absentSources = [[], step % 2 === 0 ? [0] : []];
  const sources = { chosenSources: [0, step % 2], absentSources };
  // Every third step the target wrote the second document.
  const written = {
    number: documents[1],
    rollout: create(RolloutSchema, { weightsStep: BigInt(step - 2), tokens: 4, logProbability: -6 }),
    judge: { source: 1, crossEntropy: 8 },
    prompt: 'Why?',
    text: 'Because of',
    unfinished: true,
    fourGrams: 2,
    repeatedFourGrams: 1,
  };
  const isWritten = step % 3 === 0;
  const isRollout = Uint8Array.from({ length: positions }, (_, i) => Number(isWritten && i >= lengths[0]));
  return {
    batch: { ...batch, isRollout },
    count,
    documents,
    passedOver: [],
    droppedRollouts: 0,
    rollouts: isWritten ? [written] : [],
    ...sources,
    fusionSeconds: 0.1,
  };
}

/** The same, but nothing can be learnt from it. */
function poisonedBatchOf(step: number): StepBatch {
  const { batch, ...rest } = batchOf(step);
  return { batch: { ...batch, fusedProbabilities: batch.fusedProbabilities.map(() => Infinity) }, ...rest };
}

async function* batchesFrom(
  step: number,
  gate: (step: number) => Promise<void>,
  poisoned: readonly number[],
): AsyncGenerator<StepBatch> {
  for (; step <= steps; step++) {
    await gate(step);
    yield poisoned.includes(step) ? poisonedBatchOf(step) : batchOf(step);
  }
}

/** A training of {@link steps} steps that resumes from what is in `checkpoints`. */
async function start({
  checkpoints = join(output, 'checkpoints'),
  gate = async (_step: number): Promise<void> => {},
  /** Steps whose batches are poisoned. */
  poisoned = [] as readonly number[],
  beforeSave = async (_step: number): Promise<void> => {},
  evaluation = undefined as Evaluation | undefined,
  /** Hears of every publication of weights; left out, there are none. */
  publish = undefined as ((step: number, tensors: readonly TrainedTensor[]) => Promise<void>) | undefined,
} = {}) {
  const control = new TrainingControl(new Notifier());
  const abort = new AbortController();
  const stop = () => {
    abort.abort();
    control.notifier.notifyAll();
  };
  const time = new TimeSpent();
  const reports: StepReport[] = [];
  const warnings: string[] = [];
  const writer = startCheckpointWriter();
  const { state, resumedFrom } = await resumePoint(checkpoints, 'demo', 'ab', log);
  const engine = await TrainingEngine.start(model, optionsFor(batchOf(1).batch));
  if (resumedFrom !== undefined) await engine.restore(await readSnapshot(resumedFrom));
  const weights =
    publish &&
    new BackgroundWeights({
      every: 2,
      weights: () => engine.weights(),
      publish: async (step, tensors) => {
        await publish(step, tensors);
        return { step, id: String(step), bytes: 0, chunks: 0, sha256: '', metadata: {} };
      },
      has: async () => true,
      onChange: () => control.notifier.notifyAll(),
      onWaited: (checkpoint) => time.add({ checkpoint }),
      signal: abort.signal,
      log,
    });
  const ended = train({
    engine,
    batches: batchesFrom(state.step + 1, gate, poisoned),
    state,
    resumedFrom,
    schedule: { kind: 'cosine', peak: 0.01, warmupSteps: 2, totalSteps: steps },
    sources: ['fiction', 'manuals'],
    checkpointEvery: 2,
    control,
    signal: abort.signal,
    ...(evaluation && { evaluation }),
    log: { warn: (_fields: object, line?: string) => void warnings.push(line!) },
    save: async (state, snapshot) => {
      await beforeSave(state.step);
      return writer.write({ directory: checkpoints, model, keep: 2 }, state, snapshot);
    },
    time,
    weights,
    report: (step) => reports.push(step),
  }).finally(() => Promise.all([engine.close(), writer.stop()]));
  return { ended, control, reports, warnings, time, stop };
}

const files = async ({ directory }: SavedCheckpoint) => ({
  weights: await readFile(join(directory, 'model.safetensors')),
  optimizer: await readFile(join(directory, 'optimizer.safetensors')),
});

describe('train', () => {
  it('takes every step once, and stopped in between ends with the same bits', async () => {
    const whole = await start({ checkpoints: join(output, 'whole') });
    const end = (await whole.ended)!;
    expect(whole.reports.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(end.state).toMatchObject({ step: 6, documents: 12, tokens: 72 });
    expect(end.state.documentsChosen).toEqual({ fiction: 9, manuals: 3 });
    expect(end.state.documentsWithout).toEqual({ fiction: 3 });
    expect(end.state.rollouts).toEqual({ documents: 2, tokens: 8, endedByLength: 2, dropped: 0 });
    expect(whole.reports.map(({ rollouts }) => rollouts?.mostStaleness)).toEqual([
      ...[undefined, undefined, 1],
      ...[undefined, undefined, 1],
    ]);

    const halves = join(output, 'halves');
    const first = await start({ checkpoints: halves, gate: holdBefore(4) });
    await until(() => first.reports.length === 3);
    first.stop();
    expect((await first.ended)?.state.step).toBe(3);

    const second = await start({ checkpoints: halves });
    const goneOn = (await second.ended)!;
    expect(second.reports.map(whatTheStepDid)).toEqual(whole.reports.slice(3).map(whatTheStepDid));
    expect(goneOn.state).toEqual(end.state);
    expect(await files(goneOn)).toEqual(await files(end));
  });

  it('has weights published at its start and every so many steps, and ends with the same bits', async () => {
    const alone = (await (await start({ checkpoints: join(output, 'alone') })).ended)!;
    const published: number[] = [];
    let last: readonly TrainedTensor[] = [];
    const { ended } = await start({
      publish: async (step, tensors) => {
        published.push(step);
        last = tensors;
      },
    });
    const end = (await ended)!;
    expect(published).toEqual([0, 2, 4, 6]);
    expect(await files(end)).toEqual(await files(alone));
    const { tensors } = await readSnapshot(end);
    const weightsOf = (of: readonly TrainedTensor[]) =>
      new Map(of.map(({ name, weights }) => [name, weights]));
    expect(weightsOf(last)).toEqual(weightsOf(tensors));
  });

  it('waits for documents that need weights whose publication it has skipped', async () => {
    let step2 = (): void => {};
    const slow = new Promise<void>((resolve) => {
      step2 = resolve;
    });
    const published: number[] = [];
    let written = (): void => {};
    const documents = new Promise<void>((resolve) => {
      written = resolve;
    });
    const { ended, reports } = await start({
      publish: async (step) => {
        published.push(step);
        if (step === 2) await slow;
        // Somebody writes the documents of step 6 with weights of step 5 or later.
        if (step >= 5) written();
      },
      gate: async (step) => {
        if (step === 6) await documents;
      },
    });
    await until(() => reports.length === 5);
    expect(published).toEqual([0, 2]);
    step2();
    await ended;
    expect(published).toEqual([0, 2, 5, 6]);
  });

  it('holds while paused, and continues when resumed', async () => {
    const { control, reports, ended } = await start();
    control.pause();
    await sleep(200);
    // The step in hand may have been one.
    const held = reports.length;
    expect(held).toBeLessThanOrEqual(1);
    await sleep(200);
    expect(reports.length).toBe(held);
    control.resume();
    expect((await ended)?.state.step).toBe(6);
  });

  it('writes a checkpoint when asked, while it waits for documents and while it is paused', async () => {
    const { control, reports, ended, stop } = await start({ gate: holdBefore(4) });
    await until(() => reports.length === 3);
    const waiting = await control.requestCheckpoint();
    expect(waiting).toMatchObject({
      directory: join(output, 'checkpoints', 'step-000003'),
      state: { step: 3 },
    });
    expect((await resumePoint(join(output, 'checkpoints'), 'demo', 'ab', log)).state.step).toBe(3);
    control.pause();
    expect(await control.requestCheckpoint()).toEqual(waiting);
    stop();
    await ended;
    control.end(new Error('it has ended'));
    await expect(control.requestCheckpoint()).rejects.toThrow('it has ended');
  });

  it('reports what the step took and where the time went, no second twice', async () => {
    const { reports, ended, time } = await start({ gate: (step) => sleep(step === 2 ? 400 : 0) });
    await ended;
    const [, second, , fourth] = reports;
    // Of what it waited for, the last 0.1 s were for its fusion.
    expect(second.time.wait).toBeGreaterThan(0.2);
    expect(second.time.align).toBeCloseTo(0.1);
    const { wait, align, compute, optimizer } = second.time;
    expect(wait + align + compute + optimizer).toBeCloseTo(second.seconds);
    expect(compute).toBeGreaterThan(0);
    expect(optimizer).toBeGreaterThan(0);
    expect(second.tokensPerSecond).toBeCloseTo(12 / second.seconds);
    expect(fourth.time.wait).toBeLessThan(0.2);
    const sum = (of: (report: StepReport) => number) => reports.reduce((all, report) => all + of(report), 0);
    expect(time.total.compute).toBeCloseTo(sum((report) => report.time.compute));
    expect(time.total.checkpoint).toBeGreaterThan(sum((report) => report.time.checkpoint));
  });

  it('continues while a checkpoint is written, and waits for it with the next', async () => {
    const checkpoints = join(output, 'checkpoints');
    const { held, release } = holdOnce();
    const { reports, ended } = await start({ beforeSave: () => held });
    await until(() => reports.length === 4);
    await sleep(300);
    expect(reports.length).toBe(4);
    expect((await resumePoint(checkpoints, 'demo', 'ab', log)).state.step).toBe(0);
    release();
    expect((await ended)?.state.step).toBe(6);
    expect((await resumePoint(checkpoints, 'demo', 'ab', log)).state.step).toBe(6);
    expect(reports[2].time.checkpoint).toBeLessThan(reports[4].time.checkpoint);
    expect(reports[4].time.checkpoint).toBeGreaterThan(0.2);
  });

  it('ends with what a checkpoint fails with, though it waits for documents', async () => {
    const beforeSave = async () => {
      throw new Error('the disk is full');
    };
    const { ended } = await start({ beforeSave, gate: holdBefore(3) });
    await expect(ended).rejects.toThrow('the disk is full');
  });

  it('skips a step whose loss is NaN, and stopped in between ends with the same bits', async () => {
    const poisoned = [2, 3];
    const whole = await start({ checkpoints: join(output, 'whole'), poisoned });
    const end = (await whole.ended)!;
    expect(end.state).toMatchObject({
      step: 6,
      documents: 12,
      tokens: 48,
      skippedSteps: 2,
      skippedInRow: [],
    });
    expect(whole.reports.map(({ skipped }) => skipped)).toEqual([false, true, true, false, false, false]);
    expect(whole.warnings).toEqual([
      expect.stringMatching(
        /^Step 2 is skipped, it changed nothing: its loss is (NaN|Infinity), .*\(documents 2–3\)\.$/,
      ),
      expect.stringMatching(/^Step 3 is skipped.*\(documents 4–5\)\.$/),
    ]);

    const halves = join(output, 'halves');
    const first = await start({ checkpoints: halves, poisoned, gate: holdBefore(3) });
    await until(() => first.reports.length === 2);
    first.stop();
    expect((await first.ended)?.state.skippedInRow).toEqual([{ step: 2, documents: [2, 3] }]);
    const goneOn = (await (await start({ checkpoints: halves, poisoned })).ended)!;
    expect(goneOn.state).toEqual(end.state);
    expect(await files(goneOn)).toEqual(await files(end));
  });

  it('ends after three such steps in a row, over a restart too, and can resume after them', async () => {
    const checkpoints = join(output, 'checkpoints');
    const poisoned = [3, 4, 5];
    const first = await start({ poisoned, gate: holdBefore(4) });
    await until(() => first.reports.length === 3);
    first.stop();
    await first.ended;
    await expect((await start({ poisoned })).ended).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringMatching(
        /^The loss or gradient of steps 3–5 is NaN or infinite \(documents 4–9\); .*Lower trainer\.learningRate.*step-000005/,
      ),
    });
    const { state } = await resumePoint(checkpoints, 'demo', 'ab', log);
    expect(state).toMatchObject({ step: 5, skippedSteps: 3, skippedInRow: [] });
    expect((await (await start({ poisoned: [...poisoned, 6] })).ended)?.state.skippedSteps).toBe(4);
  });

  it('evaluates now and then, and keeps the checkpoint of the best, over a restart too', async () => {
    const evaluated: [number, Readonly<Record<string, number>>][] = [];
    const losses = [3, 1, 2, Number.NaN, 1, 2];
    const evaluation: Evaluation = {
      every: 1,
      evaluate: async () => ({
        fiction: losses[evaluated.length] + 1,
        manuals: losses[evaluated.length] - 1,
      }),
      report: (step, bitsPerByte) => evaluated.push([step, bitsPerByte]),
    };
    const first = await start({ evaluation, gate: holdBefore(4) });
    await until(() => evaluated.length === 3);
    first.stop();
    await first.ended;
    expect((await (await start({ evaluation })).ended)?.state.best).toEqual({ step: 2, bitsPerByte: 1 });
    expect(evaluated.map(([step]) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(evaluated[1]).toEqual([2, { fiction: 2, manuals: 0 }]);
    expect((await readdir(join(output, 'checkpoints'))).sort()).toEqual([
      'step-000002',
      'step-000004',
      'step-000006',
    ]);
  });

  it('fails with what the batches fail with', async () => {
    const gate = async (step: number) => {
      if (step === 3) throw new Error('document 4 is too long');
    };
    const { ended } = await start({ gate });
    await expect(ended).rejects.toThrow('document 4 is too long');
  });
});

describe('resumePoint', () => {
  it('refuses the checkpoints of another run or corpus', async () => {
    await (await start()).ended;
    const checkpoints = join(output, 'checkpoints');
    await expect(resumePoint(checkpoints, 'other', 'ab', log)).rejects.toThrow(
      /are of run demo: choose another/,
    );
    await expect(resumePoint(checkpoints, 'demo', 'cd', log)).rejects.toThrow(/are of another corpus/);
  });
});

/** Never gives the batch of a step. */
function holdBefore(held: number) {
  return (step: number): Promise<void> => (step === held ? new Promise(() => {}) : Promise.resolve());
}

/** A wait that ends when it is told to. */
function holdOnce() {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { held, release };
}

async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await sleep(5);
}

function whatTheStepDid(report: StepReport): Partial<StepReport> {
  const { seconds, time, tokensPerSecond, ...outcome } = report;
  return outcome;
}
