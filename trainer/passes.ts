/** A part of one pass over the corpus. */
export interface Stretch {
  /** 0 for the first pass. */
  readonly epoch: number;
  /** Which documents, by their places in the order of that pass: begin … end − 1. */
  readonly begin: number;
  readonly end: number;
}

/** How a run passes over its corpus. No batch has documents of two passes. */
export interface Passes {
  /** Of the corpus. */
  readonly documents: number;
  readonly epochs: number;
  readonly batchDocuments: number;
}

/** Steps of all passes behind so many documents, counted over all passes. */
export function stepsBehind({ documents, epochs, batchDocuments }: Passes, done: number): number {
  const whole = Math.ceil(documents / batchDocuments);
  const epoch = Math.floor(done / documents);
  if (epoch >= epochs) return 0;
  return Math.ceil((documents - (done % documents)) / batchDocuments) + (epochs - epoch - 1) * whole;
}

/**
 * What is taken in so many steps.
 *
 * @param done documents that were taken before, counted over all passes
 */
export function stretchesBehind(passes: Passes, done: number, steps: number): Stretch[] {
  const { documents, epochs, batchDocuments } = passes;
  const stretches: Stretch[] = [];
  let begin = done % documents;
  let left = steps;
  for (let epoch = Math.floor(done / documents); epoch < epochs && left > 0; epoch++) {
    const end = Math.min(documents, begin + left * batchDocuments);
    stretches.push({ epoch, begin, end });
    left -= Math.ceil((end - begin) / batchDocuments);
    begin = 0;
  }
  return stretches;
}
