import type { JoinJournal } from '../stream/join-journal.ts';
import type { StepBatch } from './batches.ts';

/**
 * The batches as they are, each when it stands on disk which sources its documents were joined with.
 *
 * @param sources names, in the order of the batches' indices
 */
export async function* recordedBatches<Batch extends StepBatch>(
  batches: AsyncIterable<Batch>,
  journal: Pick<JoinJournal, 'write'>,
  sources: readonly string[],
): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    const { documents, absentSources } = batch;
    await journal.write(
      documents.map((document, i) => ({
        document,
        sources: sources.filter((_, s) => !absentSources[i].includes(s)),
      })),
    );
    yield batch;
  }
}
