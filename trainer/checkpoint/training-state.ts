import { z } from 'zod';

const count = z.number().int().min(0);

/**
 * Where a training stands, beside the weights and the optimizer's state of the same moment. The streams need
 * no positions here: they are read again from what they hold, and `documents` says what to pass over.
 */
export const trainingStateSchema = z.strictObject({
  run: z.string(),
  /** SHA-256 of the corpus, in hexadecimal. */
  corpusSha256: z.string(),
  /** Steps taken or skipped. */
  step: count,
  /** Documents that these steps took: 0 … documents − 1. */
  documents: count,
  /** Those of them that nothing could be learnt from: malformed, or longer than a context. */
  documentsPassedOver: count.default(0),
  /** Tokens trained on. */
  tokens: count,
  /** By source: in how many documents it taught. */
  documentsChosen: z.record(z.string(), count),
  /** By source: how many documents were trained on without it. */
  documentsWithout: z.record(z.string(), count).default({}),
  /** Steps that changed nothing, since their loss or gradient was no number. */
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
  skippedSteps: 0,
  skippedInRow: [],
  best: null,
});
