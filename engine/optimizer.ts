import { add, div, mul, sqrt, sub, sum } from '../model/graph/expressions.ts';
import type { Value } from '../model/graph/graph.ts';
import { createGraph } from '../model/graph/operators.ts';
import { elementCount } from '../model/graph/shape.ts';
import { emitModel } from '../model/onnx/emit.ts';
import { dialectOf } from '../model/runtime/dialect.ts';
import type { Memory } from '../model/runtime/memory.ts';
import type { Placement } from '../model/runtime/placement.ts';
import { openSession, type SessionOptions } from '../model/runtime/session.ts';
import { arrayIn, beginningOf, type HostTensor, type Tensor } from '../model/runtime/tensor.ts';
import { type AdamWOptions, adamwStep, globalNorm, updateOf } from './adamw.ts';
import type { TrainingTensor } from './training-tensors.ts';

/** AdamW with clipping, where the tensors are. */
export interface Optimizer {
  /** Global L2 norm over all gradients. */
  norm(): Promise<number>;
  /** One step, see {@link adamwStep}. */
  step(step: number, learningRate: number, norm: number): Promise<void>;
  close(): Promise<void>;
}

/** On tensors in this process's memory. */
export function hostOptimizer(tensors: readonly TrainingTensor[], options: AdamWOptions): Optimizer {
  const arrays = tensors.map(({ weights, gradient, firstMoment, secondMoment, decays }) => ({
    weights: arrayIn(weights),
    gradient: arrayIn(gradient),
    firstMoment: arrayIn(firstMoment),
    secondMoment: arrayIn(secondMoment),
    decays,
  }));
  return {
    norm: async () => globalNorm(arrays),
    step: async (step, learningRate, norm) => adamwStep(arrays, step, learningRate, options, norm),
    close: async () => {},
  };
}

/** On tensors on a device: a few numbers go there, and the norm alone comes back. */
export async function deviceOptimizer(
  tensors: readonly TrainingTensor[],
  options: AdamWOptions,
  memory: Memory,
  sessions: SessionOptions & Placement,
): Promise<Optimizer> {
  const dialect = dialectOf({ ...sessions, precision: 'float32' });
  const open = (outputs: Readonly<Record<string, Value>>) =>
    openSession(emitModel(outputs, { dialect }), sessions);
  const squares = await open(squaresGraph());
  const update = await open(updateGraph(options));
  const total = memory.allocate([1, 1]);
  return {
    async norm() {
      await memory.clear(total);
      for (const { gradient } of tensors)
        await squares.run({ gradient: asMatrix(gradient), total }, { sum: total });
      return Math.sqrt((await memory.read(total))[0]);
    },
    async step(step, learningRate, norm) {
      for (const tensor of tensors) {
        const numbers = updateOf(tensor, { step, learningRate, norm }, options);
        const [weights, gradient, firstMoment, secondMoment] = [
          tensor.weights,
          tensor.gradient,
          tensor.firstMoment,
          tensor.secondMoment,
        ].map(flat);
        await update.run(
          {
            weights,
            gradient,
            firstMoment,
            secondMoment,
            scale: scalar(numbers.scale),
            keep: scalar(numbers.keep),
            stepSize: scalar(numbers.stepSize),
            secondScale: scalar(numbers.secondScale),
          },
          { newWeights: weights, newFirstMoment: firstMoment, newSecondMoment: secondMoment },
        );
      }
      // Runs only queue their work on some devices. The step ends, and its time, when this number has come.
      await memory.read(total);
    },
    close: async () => {
      await squares.close();
      await update.close();
    },
  };
}

/** total + Σ gradient², row by row, so that no long sum loses its small terms. */
function squaresGraph(): Readonly<Record<string, Value>> {
  const graph = createGraph();
  const gradient = graph.input('gradient', 'float32', ['rows', 'columns']);
  const ofRows = sum(mul(gradient, gradient), [1], { keepAxes: true });
  return { sum: add(graph.input('total', 'float32', [1, 1]), sum(ofRows, [0], { keepAxes: true })) };
}

/** The order of operations is that of {@link updateTensor}. Outputs go onto the memory of their inputs. */
function updateGraph({ beta1, beta2 }: AdamWOptions): Readonly<Record<string, Value>> {
  const graph = createGraph();
  const array = (name: string) => graph.input(name, 'float32', ['n']);
  const number = (name: string) => graph.input(name, 'float32', [1]);
  const { firstShare, secondShare, epsilon } = updateOf(
    { decays: false },
    { step: 1, learningRate: 0, norm: 0 },
    { beta1, beta2, weightDecay: 0, clipNorm: 1 },
  );
  const g = mul(array('gradient'), number('scale'));
  const [m, v] = [array('firstMoment'), array('secondMoment')];
  const newFirstMoment = add(m, mul(firstShare, sub(g, m)));
  const newSecondMoment = add(mul(v, beta2), mul(mul(secondShare, g), g));
  const root = add(mul(sqrt(newSecondMoment), number('secondScale')), epsilon);
  const newWeights = sub(
    mul(array('weights'), number('keep')),
    div(mul(number('stepSize'), newFirstMoment), root),
  );
  return { newWeights, newFirstMoment, newSecondMoment };
}

const scalar = (value: number): HostTensor => ({ data: Float32Array.of(value), shape: [1] });
const flat = (tensor: Tensor): Tensor => beginningOf(tensor, [elementCount(tensor.shape)]);
const asMatrix = (tensor: Tensor): Tensor => {
  const columns = tensor.shape.at(-1) ?? 1;
  return beginningOf(tensor, [elementCount(tensor.shape) / columns, columns]);
};
