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
  /** Optimizer steps done. */
  step: count,
  /** Documents trained on: 0 … documents − 1. */
  documents: count,
  /** Tokens trained on. */
  tokens: count,
  /** By source: in how many documents it taught. */
  documentsChosen: z.record(z.string(), count),
});

export type TrainingState = z.infer<typeof trainingStateSchema>;

/** What a checkpoint's trainer-state.json holds: written last, it vouches for the other files. */
export const checkpointRecordSchema = z.strictObject({
  state: trainingStateSchema,
  /** Size in bytes of each other file of the checkpoint. */
  files: z.record(z.string(), count),
});
