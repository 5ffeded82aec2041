import type { Precision } from './settings.ts';

/** What is compared. */
export type Compared = 'logits' | 'gradients' | 'losses' | 'weights';

/**
 * How far a device may be from the processor in float32. In 16 bits, twice as far as PyTorch's autocast is on the golden
 * models; in float32 as far as sums in another order part. Weights whose gradient is 0 but for rounding, such as biases of
 * GPT-2's keys, go either way, since AdamW makes full steps of what is left: hence the tolerance of weights. (PyTorch's bfloat16 differs most with the adapter of OLMo 2: by 0.134 after twenty steps.)
 */
export const tolerances: Readonly<Record<Precision, Readonly<Record<Compared, number>>>> = {
  float32: { logits: 2e-4, gradients: 1e-3, losses: 1e-4, weights: 0.05 },
  float16: { logits: 0.032, gradients: 0.03, losses: 0.004, weights: 0.06 },
  bfloat16: { logits: 0.4, gradients: 0.5, losses: 0.02, weights: 0.27 },
};
