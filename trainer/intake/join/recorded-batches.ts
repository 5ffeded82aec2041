import type { FusedBatch } from '../../../fusion/batch/batches.ts';
import type { JoinJournal } from './join-journal.ts';

/**
 * The batches as they are, each when it stands on disk which sources its documents were joined with. Those that a
 * source's answer made them pass over are among them: with other sources they would be learnt from.
 *
 * @param sources names, in the order of the batches' indices
 */
export async function* recordedBatches<Batch extends Pick<FusedBatch, 'joined'>>(
  batches: AsyncIterable<Batch>,
  journal: Pick<JoinJournal, 'write'>,
  sources: readonly string[],
): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    await journal.write(
      batch.joined.map(({ document, present }) => ({ document, sources: present.map((s) => sources[s]) })),
    );
    yield batch;
  }
}
