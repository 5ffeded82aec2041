import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { sourcesOf } from '../../process/config/run-sources.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { type Side, startSide } from '../side.ts';
import type { ScoredFor, Scoring, TrainedFor, Training } from './calibration-request.ts';
import type { SampledCorpus } from './sample-corpus.ts';
import type { TrainerCosts } from './speeds.ts';

/** What was measured of a run's models on this machine. */
export interface Calibration {
  readonly sources: readonly { readonly secondsPerToken: number; readonly bytesPerToken: number }[];
  readonly trainer: TrainerCosts;
  readonly cores: number;
  /** What a core still does while all work, of what it does alone. */
  readonly efficiency: number;
}

/** Documents that are scored and trained on, again and again. */
const sampleDocuments = 48;
/** Seconds of each measurement. */
const measureFor = 3;

/**
 * Measures each of a run's models alone, in a process of its own, on documents of the run; then source and target side by
 * side, which tells what cores lose to each other.
 *
 * @throws FuseMeshError failed_precondition where a source's model is not on this machine
 */
export async function calibrate(
  runFile: string,
  config: RunConfig,
  { contents }: SampledCorpus,
): Promise<Calibration> {
  const some = contents.slice(0, sampleDocuments);
  const sources = sourcesOf(config);
  const missing = sources.find(({ model }) => model === undefined);
  if (missing) {
    throw new FuseMeshError(
      'failed_precondition',
      `The speed of ${missing.name} cannot be measured, as its model is not on this machine: give --teacher-speed.`,
    );
  }
  const scorers: Side<Scoring, ScoredFor>[] = [];
  const trainers: Side<Training, TrainedFor>[] = [];
  try {
    for (const { name } of sources) scorers.push(await start('score-worker.ts', runFile, name));
    trainers.push(await start('train-worker.ts', runFile));
    const [trainer] = trainers;
    const said: ScoredFor[] = [];
    for (const scorer of scorers) {
      said.push(await scorer.ask({ contents: some, seconds: 0, withDistributions: true }));
    }
    const distributions = some.map((_, d) => said.map((source) => source.distributions[d]));
    await trainer.ask({ contents: some, distributions });
    // The first steps allocate.
    await trainer.ask({ seconds: 1 });

    const score = { contents: some, seconds: measureFor, withDistributions: false };
    const alone: number[] = [];
    for (const scorer of scorers) alone.push((await scorer.ask(score)).tokensPerSecond);
    const trained = await trainer.ask({ seconds: measureFor });
    const [one, other] = await Promise.all([scorers[0].ask(score), trainer.ask({ seconds: measureFor })]);
    const lost = [one.tokensPerSecond / alone[0], stepSeconds(trained) / stepSeconds(other)];
    return {
      sources: said.map(({ bytesPerToken }, s) => ({ secondsPerToken: 1 / alone[s], bytesPerToken })),
      trainer: costsOf(trained),
      cores: availableParallelism(),
      efficiency: Math.min(1, mean(lost)),
    };
  } finally {
    for (const side of [...scorers, ...trainers]) await side.close();
  }
}

const stepSeconds = ({ computeSeconds, optimizerSeconds, tokens }: TrainedFor) =>
  (computeSeconds + optimizerSeconds) / tokens;

const costsOf = (trained: TrainedFor): TrainerCosts => ({
  secondsPerToken: trained.computeSeconds / trained.tokens,
  secondsPerStep: trained.optimizerSeconds / trained.steps,
  fusionSecondsPerToken: trained.fusionSeconds / trained.tokens,
  evaluationSeconds: trained.evaluationSeconds,
  snapshotSeconds: trained.snapshotSeconds,
});

/** The mean of two, where the machine has other work that comes and goes. */
export const between = (one: Calibration, other: Calibration): Calibration => ({
  sources: one.sources.map((source, s) => ({
    ...source,
    secondsPerToken: mean([source.secondsPerToken, other.sources[s].secondsPerToken]),
  })),
  trainer: {
    secondsPerToken: mean([one.trainer.secondsPerToken, other.trainer.secondsPerToken]),
    secondsPerStep: mean([one.trainer.secondsPerStep, other.trainer.secondsPerStep]),
    fusionSecondsPerToken: mean([one.trainer.fusionSecondsPerToken, other.trainer.fusionSecondsPerToken]),
    evaluationSeconds: mean([one.trainer.evaluationSeconds, other.trainer.evaluationSeconds]),
    snapshotSeconds: mean([one.trainer.snapshotSeconds, other.trainer.snapshotSeconds]),
  },
  cores: one.cores,
  efficiency: mean([one.efficiency, other.efficiency]),
});

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;

async function start<Request, Answer>(
  file: string,
  ...parameters: readonly string[]
): Promise<Side<Request, Answer>> {
  const side = await startSide<Request, Answer>(process.execPath, [
    ...process.execArgv,
    join(import.meta.dirname, file),
    ...parameters,
  ]);
  if (side) return side;
  throw new FuseMeshError('failed_precondition', `${file} did not start with ${parameters.join(' ')}.`);
}
