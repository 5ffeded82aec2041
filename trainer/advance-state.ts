import type { AssembledBatch } from './batch/assemble-batch.ts';
import type { TrainingState } from './checkpoint/training-state.ts';

/** Where a training stands after a step on the batch. */
export function afterStep(
  state: TrainingState,
  { documents, chosenSources, absentSources, count }: AssembledBatch,
  sources: readonly string[],
): TrainingState {
  const taught = chosenSources.filter((source) => source !== -1);
  return {
    ...state,
    step: state.step + 1,
    documents: state.documents + documents.length,
    tokens: state.tokens + count.positions,
    documentsChosen: addedTo(state.documentsChosen, taught, sources),
    documentsWithout: addedTo(state.documentsWithout, absentSources.flat(), sources),
    skippedInRow: [],
  };
}

function addedTo(
  counts: Readonly<Record<string, number>>,
  which: readonly number[],
  sources: readonly string[],
): Record<string, number> {
  const sum = { ...counts };
  for (const source of which) sum[sources[source]] = (sum[sources[source]] ?? 0) + 1;
  return sum;
}

/** Where it stands after a step that changed nothing: it learnt from none of the batch's documents. */
export function afterSkippedStep(state: TrainingState, { documents }: AssembledBatch): TrainingState {
  const step = state.step + 1;
  return {
    ...state,
    step,
    documents: state.documents + documents.length,
    skippedSteps: state.skippedSteps + 1,
    skippedInRow: [...state.skippedInRow, { step, documents }],
  };
}

/**
 * Where it stands after an evaluation of that step.
 *
 * @param bitsPerByte by domain; their mean decides whether it is the best so far
 */
export function afterEvaluation(
  state: TrainingState,
  bitsPerByte: Readonly<Record<string, number>>,
): TrainingState {
  const domains = Object.values(bitsPerByte);
  const mean = domains.reduce((sum, domain) => sum + domain, 0) / domains.length;
  const isBest = mean < (state.best?.bitsPerByte ?? Number.POSITIVE_INFINITY);
  return isBest ? { ...state, best: { step: state.step, bitsPerByte: mean } } : state;
}
