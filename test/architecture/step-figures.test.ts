import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { Registry } from 'prom-client';
import { expect, it, vi } from 'vitest';
import { metricsDocument } from '../../deploy/metrics-document/metrics-document.ts';
import { curvesOf, mergeCurves } from '../../page/view/history/curves.ts';
import { createLog } from '../../process/log/log.ts';
import { HistoryFile, readHistory } from '../../trainer/report/history/history-file.ts';
import { columnsOf } from '../../trainer/report/history/history-message.ts';
import { historyPoint, merged } from '../../trainer/report/history/history-point.ts';
import { RunHistory } from '../../trainer/report/history/run-history.ts';
import { TrainerMetrics } from '../../trainer/report/metrics.ts';
import type { StepReport } from '../../trainer/report/step-report.ts';
import { GetHistoryResponseSchema } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { noFigures } from '../../wire/messages/figure-values.ts';
import { type StepFigure, type StepFigureName, stepFigures } from '../../wire/messages/step-figures.ts';

// One declaration more. Only the messages need their field beside it.
vi.mock('../../wire/messages/step-figures.ts', async (importOriginal) => {
  const declared = await importOriginal<{ stepFigures: object }>();
  const entropy = {
    name: 'Entropy',
    over: 'sum',
    gauge: { name: 'entropy', help: 'Of the last step.' },
  } satisfies StepFigure;
  return { ...declared, stepFigures: { ...declared.stepFigures, entropy } };
});

type WithEntropy = { readonly entropy: unknown };

const time = { wait: 1, align: 0, compute: 1, optimizer: 0, checkpoint: 0, evaluate: 0 };
const report = (step: number, entropy: number): StepReport & WithEntropy => ({
  ...noFigures,
  step,
  entropy,
  documents: 4 * step,
  tokens: 100 * step,
  stepTokens: 100,
  stepDocuments: 4,
  passedOver: 0,
  skipped: false,
  chosen: ['fiction'],
  without: {},
  loss: 3,
  causalLoss: 3,
  fusionLoss: 2,
  gradientNorm: 1,
  learningRate: 1e-4,
  alignedShare: 0.9,
  doubtfulTokens: 0,
  mass: { exact: 1, byRule: 0, dropped: 0 },
  taught: {},
  rollouts: undefined,
  rolloutTotals: { documents: 0, tokens: 0, endedByLength: 0, dropped: 0 },
  droppedRollouts: 0,
  skippedSteps: 0,
  seconds: 2,
  time,
  fusionSeconds: 0,
  bytesToDevice: 0,
  bytesFromDevice: 0,
  tokensPerSecond: 50,
});

it('takes a new figure from its declaration to the metrics and their document', async () => {
  const register = new Registry();
  const run = { state: 'training', plannedSteps: 0, time, sources: [] } as const;
  new TrainerMetrics(register, () => run).observe(report(1, 0.25));
  expect(await register.metrics()).toContain('\nfusemesh_trainer_entropy 0.25\n');
  expect(metricsDocument()).toContain('| `fusemesh_trainer_entropy` | gauge |  | Of the last step. |');
});

it('takes a new figure from its declaration to the history, in memory and on disk', async () => {
  const points = [report(1, 0.25), report(2, 0.5)].map((step) => historyPoint(step, {}));
  expect(merged(points[0], points[1])).toMatchObject({ entropy: 0.75, loss: 3 });
  expect(columnsOf(points)).toMatchObject({ entropy: [0.25, 0.5], waitShare: [0.5, 0.5] });

  const output = await mkdtemp(join(tmpdir(), 'figures-'));
  try {
    const log = createLog('test', { level: 'silent' });
    const file = await HistoryFile.resume(output, { step: 0, history: new RunHistory(), log });
    // The second line is from before the figure was declared.
    const { entropy: _, ...before } = points[1] as (typeof points)[1] & WithEntropy;
    file.append(points[0]);
    file.append(before);
    await file.close();
    expect((await readHistory(output)).points).toMatchObject([{ entropy: 0.25 }, { entropy: Number.NaN }]);
  } finally {
    await rm(output, { recursive: true });
  }
});

it('takes a new figure from its declaration to the series of the page', () => {
  const answer = (step: number, entropy: number) => ({
    ...create(GetHistoryResponseSchema, {
      step: [BigInt(step)],
      ...columnsOf([historyPoint(report(step, entropy), {})]),
    }),
    entropy: [entropy],
  });
  expect(mergeCurves(curvesOf(answer(1, 0.25)), answer(2, 0.5))).toMatchObject({ entropy: [0.25, 0.5] });
});

it('does not compile with a declaration that no message has a field for, or without one', () => {
  const { loss, ...others } = stepFigures;
  // @ts-expect-error a figure without a field
  const more: Record<StepFigureName, StepFigure> = { ...others, loss, perplexity: loss };
  // @ts-expect-error a field without a declaration
  const fewer: Record<StepFigureName, StepFigure> = others;
  expect([more, fewer]).toHaveLength(2);
});
