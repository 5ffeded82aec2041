import type { EngineOptions } from '../../engine/engine-options.ts';
import type { TrainingBatch } from '../../engine/training-batch.ts';
import { optionsFor } from '../../test/support/engine-options.ts';

/** What a run file has by default (trainer.tokensAtOnce). */
const tokensAtOnce = 1024;

/** Options for documents of one length, with as many tokens at once as a run has where its file says nothing. */
export const engineOptions = (
  batch: Pick<TrainingBatch, 'lengths' | 'candidates'>,
  threads: number,
): EngineOptions => ({
  ...optionsFor(batch),
  rowsAtOnce: Math.max(1, Math.floor(tokensAtOnce / batch.lengths[0])),
  threads,
});
