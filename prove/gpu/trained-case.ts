import type { EngineOptions } from '../../engine/engine-options.ts';
import { ModelInTraining } from '../../engine/model-in-training.ts';
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
  const model = await ModelInTraining.open(directory, options);
  try {
    const { memory, tensors, optimizer } = model;
    /** Copies of one tensor for each that is trained, by its name. */
    const read = async (of: 'weights' | 'gradient') => {
      const values = new Map<string, Float32Array>();
      for (const tensor of tensors.trained) values.set(tensor.name, await memory.read(tensor[of]));
      return values;
    };
    const untrained = new Map(adapter?.untrained.tensors.map((tensor) => [tensor.name, tensor.weights]));
    for (const tensor of adapter ? tensors.trained : [])
      await memory.write(tensor.weights, untrained.get(tensor.name)!);
    const begin = await read('weights');
    const losses: number[] = [];
    let gradients: TrainedCase['gradients'] = new Map();
    for (let step = 1; step <= steps; step++) {
      const { loss } = await model.computeGradients(batch);
      const norm = await optimizer.norm();
      if (!Number.isFinite(loss) || !Number.isFinite(norm))
        throw new FuseMeshError('internal', `${name}: loss ${loss} and gradient norm ${norm}`);
      losses.push(loss);
      if (step === 1) gradients = await read('gradient');
      await optimizer.step(step, learningRate, norm);
    }
    const movements = new Map(
      [...(await read('weights'))].map(([tensor, weights]) => {
        const before = begin.get(tensor)!;
        return [tensor, weights.map((value, i) => value - before[i])];
      }),
    );
    return { losses, gradients, movements };
  } finally {
    await model.close();
  }
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
