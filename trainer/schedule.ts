/** What decides the learning rate of a step. */
export interface Schedule {
  /** Highest learning rate. */
  readonly peak: number;
  /** Share of all steps that the warm-up takes, 0 to 1. */
  readonly warmupRatio: number;
  readonly totalSteps: number;
}

/**
 * Linear warm-up to the peak, then half a cosine towards 0, as FuseLLM trains. Hugging Face's schedule of the
 * same name begins at 0 and so spends a step on nothing; this one begins at peak / warm-up steps.
 *
 * @param step 1 for the first
 */
export function learningRateAt(step: number, { peak, warmupRatio, totalSteps }: Schedule): number {
  const warmupSteps = Math.ceil(totalSteps * warmupRatio);
  if (step <= warmupSteps) return peak * (step / warmupSteps);
  const progress = (step - 1 - warmupSteps) / (totalSteps - warmupSteps);
  return peak * ((1 + Math.cos(Math.PI * progress)) / 2);
}
