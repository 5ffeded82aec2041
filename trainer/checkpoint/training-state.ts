import { z } from 'zod';
import type { StepBatch } from '../../fusion/batch/batches.ts';
import { noRollouts, rolloutTotalsSchema, withRollouts } from './rollout-totals.ts';

const count = z.number().int().min(0);

/**
 * Where a training stands, beside the weights and the optimizer's state of the same moment. Positions in
 * the streams are not kept: a resumed training reads what the streams hold and drops what `documents` covers.
 */
export const trainingStateSchema = z.strictObject({
  run: z.string(),
  /** SHA-256 of the corpus, in hexadecimal. */
  corpusSha256: z.string(),
  /** Steps taken or skipped. */
  step: count,
  /** Documents that these steps took, each counted in every pass over the corpus. */
  documents: count,
  /** Those of them that nothing could be learnt from: malformed, or longer than a context. */
  documentsPassedOver: count.default(0),
  /** Tokens trained on. */
  tokens: count,
  /** By source: in how many documents it taught. */
  documentsChosen: z.record(z.string(), count),
  /** By source: how many documents were trained on without it. */
  documentsWithout: z.record(z.string(), count).default({}),
  /** What the target wrote itself. */
  rollouts: rolloutTotalsSchema.default(noRollouts),
  /** Steps that changed nothing, since their loss or gradient was NaN or infinite. */
  skippedSteps: count,
  /** Those of them that followed each other up to here, with the numbers of their documents. */
  skippedInRow: z.array(z.strictObject({ step: count, documents: z.array(count).readonly() })).readonly(),
  /** Where the target did best on the held-out texts, in bits per byte as the mean over domains. */
  best: z.strictObject({ step: count, bitsPerByte: z.number() }).nullable(),
});

export type TrainingState = z.infer<typeof trainingStateSchema>;

/** Where a training begins. */
export const initialState = (run: string, corpusSha256: string): TrainingState => ({
  run,
  corpusSha256,
  step: 0,
  documents: 0,
  documentsPassedOver: 0,
  tokens: 0,
  documentsChosen: {},
  documentsWithout: {},
  rollouts: noRollouts,
  skippedSteps: 0,
  skippedInRow: [],
  best: null,
});

/** Documents that a step took, whether or not it learnt anything. */
type TakenDocuments = Pick<StepBatch, 'documents' | 'passedOver' | 'droppedRollouts'>;
type TakenBatch = TakenDocuments & Pick<StepBatch, 'chosenSources' | 'absentSources' | 'count' | 'rollouts'>;

/** What every step counts, whether or not it learns anything. */
function taken(
  { step, documents, documentsPassedOver, rollouts }: TrainingState,
  { documents: learnt, passedOver, droppedRollouts }: TakenDocuments,
): Pick<TrainingState, 'step' | 'documents' | 'documentsPassedOver' | 'rollouts'> {
  return {
    step: step + 1,
    documents: documents + learnt.length + passedOver.length,
    documentsPassedOver: documentsPassedOver + passedOver.length,
    rollouts: { ...rollouts, dropped: rollouts.dropped + droppedRollouts },
  };
}

/** Where a training stands after a step on the batch. */
export function afterStep(
  state: TrainingState,
  batch: TakenBatch,
  sources: readonly string[],
): TrainingState {
  const { chosenSources, absentSources, count } = batch;
  const taught = chosenSources.filter((source) => source !== -1);
  const after = taken(state, batch);
  return {
    ...state,
    ...after,
    rollouts: withRollouts(after.rollouts, batch),
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
export function afterSkippedStep(state: TrainingState, batch: TakenDocuments): TrainingState {
  const { documents } = batch;
  const { step } = taken(state, batch);
  return {
    ...afterEmptyStep(state, batch),
    skippedInRow: [...state.skippedInRow, { step, documents }],
  };
}

/** Where it stands after a step all of whose documents were passed over: as after a skipped one, but it is not one of skippedInRow. */
export function afterEmptyStep(state: TrainingState, batch: TakenDocuments): TrainingState {
  return { ...state, ...taken(state, batch), skippedSteps: state.skippedSteps + 1 };
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
