import { type Update, updateTensor } from './adamw-kernel.ts';

export interface AdamWOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly weightDecay: number;
  /** Largest global L2 norm of the gradient; a longer one is scaled down to it. */
  readonly clipNorm: number;
}

/** One weight tensor with its gradient and its optimizer state, flat arrays of one length. */
export interface OptimizedTensor {
  readonly weights: Float32Array;
  readonly gradient: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  /** Biases and the weights of norms have no weight decay, as in Hugging Face's Trainer. */
  readonly decays: boolean;
}

const EPSILON = 1e-8;

/** Global L2 norm over all gradients. */
export function globalNorm(tensors: readonly OptimizedTensor[]): number {
  // Four sums side by side: a single one would make every addition wait for the one before.
  let [a, b, c, d] = [0, 0, 0, 0];
  for (const { gradient } of tensors) {
    const whole = gradient.length & ~3;
    for (let i = 0; i < whole; i += 4) {
      a += gradient[i] * gradient[i];
      b += gradient[i + 1] * gradient[i + 1];
      c += gradient[i + 2] * gradient[i + 2];
      d += gradient[i + 3] * gradient[i + 3];
    }
    for (let i = whole; i < gradient.length; i++) a += gradient[i] * gradient[i];
  }
  return Math.sqrt(a + b + c + d);
}

/**
 * One step of AdamW (Loshchilov & Hutter 2019) with clipping by global norm, on the tensors in place.
 *
 * @param step 1 for the first step, for the correction of the moments' bias
 * @param norm globalNorm of the tensors: the caller checks it first, since NaN or infinity would spoil every
 *   weight
 */
export function adamwStep(
  tensors: readonly OptimizedTensor[],
  step: number,
  learningRate: number,
  options: AdamWOptions,
  norm: number,
): void {
  for (const tensor of tensors) updateTensor(tensor, updateOf(tensor, { step, learningRate, norm }, options));
}

/** The numbers of a step for one tensor. */
export function updateOf(
  { decays }: Pick<OptimizedTensor, 'decays'>,
  {
    step,
    learningRate,
    norm,
  }: { readonly step: number; readonly learningRate: number; readonly norm: number },
  { beta1, beta2, weightDecay, clipNorm }: AdamWOptions,
): Update {
  return {
    // As torch.nn.utils.clip_grad_norm_ does.
    scale: Math.min(1, clipNorm / (norm + 1e-6)),
    firstShare: 1 - beta1,
    beta2,
    secondShare: 1 - beta2,
    keep: decays ? 1 - learningRate * weightDecay : 1,
    stepSize: learningRate / (1 - beta1 ** step),
    secondScale: 1 / Math.sqrt(1 - beta2 ** step),
    epsilon: EPSILON,
  };
}
