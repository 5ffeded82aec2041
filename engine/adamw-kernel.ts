import {
  add,
  type Code,
  div,
  forEachFour,
  get,
  load,
  mul,
  type SimdProgram,
  set,
  simdProgram,
  splat,
  sqrt,
  store,
  sub,
} from './simd-code.ts';

/** The numbers of one step for one tensor; each is rounded to float32. */
export interface Update {
  /** Of the gradient, to clip it. */
  readonly scale: number;
  /** 1 − β₁. */
  readonly firstShare: number;
  readonly beta2: number;
  /** 1 − β₂. */
  readonly secondShare: number;
  /** What the decay leaves of a weight. */
  readonly keep: number;
  /** Learning rate over the first moment's bias correction. */
  readonly stepSize: number;
  /** One over the square root of the second moment's bias correction. */
  readonly secondScale: number;
  readonly epsilon: number;
}

/** Values of each array that are processed at a time: four such pieces stay in a core's L2 cache. */
const piece = 4096;
const [weights, gradient, firstMoment, secondMoment] = [0, 1, 2, 3].map((array) => array * piece * 4);

/** The order of operations is that of torch.optim.AdamW (PyTorch 2.13, `_single_tensor_adam`). */
function updateProgram(): SimdProgram {
  const address = 0;
  const scalars = [2, 3, 4, 5, 6, 7, 8, 9];
  const constants = scalars.map((scalar) => scalar + scalars.length);
  const [scale, firstShare, beta2, secondShare, keep, stepSize, secondScale, epsilon] = constants.map(get);
  const [g, m, v] = [18, 19, 20];
  const body: Code = [
    ...set(g, mul(load(address, gradient), scale)),
    ...set(m, load(address, firstMoment)),
    ...set(m, add(get(m), mul(firstShare, sub(get(g), get(m))))),
    ...set(v, add(mul(load(address, secondMoment), beta2), mul(mul(secondShare, get(g)), get(g)))),
    ...store(address, firstMoment, get(m)),
    ...store(address, secondMoment, get(v)),
    ...store(
      address,
      weights,
      sub(
        mul(load(address, weights), keep),
        div(mul(stepSize, get(m)), add(mul(sqrt(get(v)), secondScale), epsilon)),
      ),
    ),
  ];
  return simdProgram(4 * piece * 4, scalars.length, constants.length + 3, [
    ...scalars.flatMap((scalar, i) => set(constants[i], splat(get(scalar)))),
    ...forEachFour(body),
  ]);
}

const { memory, run } = updateProgram();
const view = (offset: number) => new Float32Array(memory, offset, piece);
const views = [view(weights), view(gradient), view(firstMoment), view(secondMoment)] as const;

/** The four arrays of a tensor, of one length. */
interface Arrays {
  readonly weights: Float32Array;
  readonly gradient: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
}

/**
 * AdamW's update of one tensor in place, in float32.
 *
 * JavaScript computes in float64 only, and float64 roots and divisions take most of such a loop's time. Four
 * float32 at a time in WebAssembly take a third of it, including the copies in and out.
 */
export function updateTensor({ weights, gradient, firstMoment, secondMoment }: Arrays, update: Update): void {
  const { scale, firstShare, beta2, secondShare, keep, stepSize, secondScale, epsilon } = update;
  const [someWeights, someGradient, someFirst, someSecond] = views;
  for (let from = 0; from < weights.length; from += piece) {
    const length = Math.min(piece, weights.length - from);
    const to = from + length;
    someWeights.set(weights.subarray(from, to));
    someGradient.set(gradient.subarray(from, to));
    someFirst.set(firstMoment.subarray(from, to));
    someSecond.set(secondMoment.subarray(from, to));
    // Where the last piece is no multiple of four, old values follow it; they are not copied out.
    run(0, length * 4, scale, firstShare, beta2, secondShare, keep, stepSize, secondScale, epsilon);
    weights.set(someWeights.subarray(0, length), from);
    firstMoment.set(someFirst.subarray(0, length), from);
    secondMoment.set(someSecond.subarray(0, length), from);
  }
}
