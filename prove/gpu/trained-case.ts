import type { EngineOptions } from '../../engine/engine-options.ts';
import type { EngineSnapshot } from '../../engine/engine-snapshot.ts';
import { TrainingEngine } from '../../engine/training-engine.ts';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { optionsFor } from '../../test/support/engine-options.ts';
import { largestDifference } from '../../test/support/golden.ts';
import type { GoldenCase } from './golden-case.ts';

const learningRate = 1e-3;

/** What a training of a golden model came to. */
export interface TrainedCase {
  /** [steps] */
  readonly losses: readonly number[];
  /** Of the first step, by tensor. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
  /** What the steps have added to the weights, by tensor. */
  readonly movements: ReadonlyMap<string, Float32Array>;
}

/** Trains a golden model for some steps on its batch. */
export async function trainCase(
  { name, directory, batch, adapter }: GoldenCase,
  execution: EngineOptions['execution'],
  steps: number,
): Promise<TrainedCase> {
  const options = { ...optionsFor(batch), execution, lora: adapter?.settings };
  const engine = await TrainingEngine.start(directory, options);
  try {
    if (adapter) await engine.restore(adapter.untrained);
    const begin = await engine.snapshot();
    const losses: number[] = [];
    let gradients: TrainedCase['gradients'] = new Map();
    for (let step = 1; step <= steps; step++) {
      const { loss, gradientNorm, finite } = await engine.step(batch, learningRate);
      if (!finite) {
        throw new FuseMeshError('internal', `${name}: loss ${loss} and gradient norm ${gradientNorm}`);
      }
      losses.push(loss);
      if (step === 1) gradients = gradientsOf(await engine.snapshot(), options, gradientNorm);
    }
    return { losses, gradients, movements: movements(begin, await engine.snapshot()) };
  } finally {
    await engine.close();
  }
}

/** The gradients as the first step has left them in AdamW's first moments, which began at 0. */
function gradientsOf(
  { tensors }: EngineSnapshot,
  { beta1, clipNorm }: Pick<EngineOptions, 'beta1' | 'clipNorm'>,
  norm: number,
): TrainedCase['gradients'] {
  const share = (1 - beta1) * Math.min(1, clipNorm / (norm + 1e-6));
  return new Map(tensors.map(({ name, firstMoment }) => [name, firstMoment.map((value) => value / share)]));
}

function movements(before: EngineSnapshot, after: EngineSnapshot): TrainedCase['movements'] {
  const begin = new Map(before.tensors.map(({ name, weights }) => [name, weights]));
  return new Map(
    after.tensors.map(({ name, weights }) => [name, weights.map((value, i) => value - begin.get(name)![i])]),
  );
}

/** How far a training is from the reference; NaN where a tensor is missing or holds a NaN. */
export interface TrainingDifference {
  /** Of the worst tensor: largest difference in parts of its largest gradient. */
  readonly gradients: number;
  /** The largest, in nats. */
  readonly losses: number;
  /** L2 norm of the difference of all weights in parts of that of what training has added to them. */
  readonly weights: number;
}

export function trainingDifference(actual: TrainedCase, right: TrainedCase): TrainingDifference {
  const gradients = [...right.gradients].map(([name, values]) => {
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return largestDifference(actual.gradients.get(name) ?? [], values) / largest;
  });
  let [difference, movement] = [0, 0];
  for (const [name, values] of right.movements) {
    const other = actual.movements.get(name);
    for (const [i, value] of values.entries()) {
      difference += ((other?.[i] ?? Number.NaN) - value) ** 2;
      movement += value ** 2;
    }
  }
  return {
    gradients: gradients.reduce((most, each) => (each <= most ? most : each), 0),
    losses: largestDifference(actual.losses, right.losses),
    weights: Math.sqrt(difference / movement),
  };
}
