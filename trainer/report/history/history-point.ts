import { z } from 'zod';
import type { StepReport } from '../step-report.ts';

const bySource = z.record(z.string(), z.number());

/** What is kept of one step for the curves of a run, or of several consecutive steps together. */
export const historyPointSchema = z.object({
  /** The last one. */
  step: z.number(),
  /** When it ended, in seconds since 1970. */
  time: z.number(),
  /** How many. */
  steps: z.number(),
  tokens: z.number(),
  /** Wall time, the wait for documents included. */
  seconds: z.number(),
  waitSeconds: z.number(),
  /** In nats a token; this and the next five as means over the steps. */
  loss: z.number(),
  causalLoss: z.number(),
  fusionLoss: z.number(),
  gradientNorm: z.number(),
  learningRate: z.number(),
  alignedShare: z.number(),
  /** Documents that each source taught. */
  chosen: bySource,
  /** Documents that went on without a source. */
  without: bySource.default({}),
  /** Tokens that each source scored per second, as it said itself. */
  tokensPerSecond: bySource,
});

export type HistoryPoint = Readonly<z.infer<typeof historyPointSchema>>;

/** Two points, the second right behind the first, as one. */
export function together(first: HistoryPoint, second: HistoryPoint): HistoryPoint {
  const steps = first.steps + second.steps;
  const sum = (a = 0, b = 0) => a + b;
  const mean = (a = 0, b = 0) => (a * first.steps + b * second.steps) / steps;
  return {
    ...{ step: second.step, time: second.time, steps },
    tokens: sum(first.tokens, second.tokens),
    seconds: sum(first.seconds, second.seconds),
    waitSeconds: sum(first.waitSeconds, second.waitSeconds),
    loss: mean(first.loss, second.loss),
    causalLoss: mean(first.causalLoss, second.causalLoss),
    fusionLoss: mean(first.fusionLoss, second.fusionLoss),
    gradientNorm: mean(first.gradientNorm, second.gradientNorm),
    learningRate: mean(first.learningRate, second.learningRate),
    alignedShare: mean(first.alignedShare, second.alignedShare),
    chosen: eachOf(first.chosen, second.chosen, sum),
    without: eachOf(first.without, second.without, sum),
    tokensPerSecond: eachOf(first.tokensPerSecond, second.tokensPerSecond, mean),
  };
}

const eachOf = (
  first: Readonly<Record<string, number>>,
  second: Readonly<Record<string, number>>,
  combine: (a: number | undefined, b: number | undefined) => number,
): Record<string, number> =>
  Object.fromEntries(
    [...new Set([...Object.keys(first), ...Object.keys(second)])].map((name) => [
      name,
      combine(first[name], second[name]),
    ]),
  );

/** A step as a point, with the rates that the sources tell of. */
export function historyPoint(
  report: StepReport,
  tokensPerSecond: Readonly<Record<string, number>>,
): HistoryPoint {
  const chosen: Record<string, number> = {};
  for (const name of report.chosen) chosen[name] = (chosen[name] ?? 0) + 1;
  const { step, seconds, loss, causalLoss, fusionLoss, gradientNorm, learningRate, alignedShare } = report;
  return {
    step,
    seconds,
    loss,
    causalLoss,
    fusionLoss,
    gradientNorm,
    learningRate,
    alignedShare,
    time: Date.now() / 1000,
    steps: 1,
    tokens: report.stepTokens,
    waitSeconds: report.time.wait,
    chosen,
    tokensPerSecond,
    without: Object.fromEntries(
      Object.entries(report.without).map(([name, documents]) => [name, documents.length]),
    ),
  };
}
