import type { EngineOptions } from '../../engine/engine-options.ts';
import type { TrainingBatch } from '../../engine/training-batch.ts';
import { optionsFor } from '../../test/support/engine-options.ts';

/** The default of trainer.tokensAtOnce. */
const tokensAtOnce = 1024;

/** Options for documents of one length, with the default number of tokens at once. */
export const engineOptions = (
  batch: Pick<TrainingBatch, 'lengths' | 'candidates'>,
  threads: number,
): EngineOptions => ({
  ...optionsFor(batch),
  rowsAtOnce: Math.max(1, Math.floor(tokensAtOnce / batch.lengths[0])),
  threads,
});
