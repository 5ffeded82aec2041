import type { TrainingBatch } from '../../engine/training-batch.ts';
import { createRandom } from './random.ts';

/** Candidates of a fused distribution. */
export const candidates = 3;
/** Token ids are below it: every golden model has so many. */
const vocabulary = 30;

/** A batch in which every document has something to learn, some of it fused, some of that with a tail. */
export function randomBatch(lengths: readonly number[]): TrainingBatch {
  const random = createRandom(7);
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const ids = (count: number) => Int32Array.from({ length: count }, () => Math.floor(random() * vocabulary));
  const labels = ids(tokens);
  let end = 0;
  for (const length of lengths) {
    end += length;
    labels[end - 1] = -1;
  }
  const taught = Array.from({ length: tokens }, () => random() < 0.7);
  return {
    lengths,
    candidates,
    inputIds: ids(tokens),
    labels,
    fusedIds: Int32Array.from({ length: tokens * candidates }, (_, i) => (i * 7) % vocabulary),
    fusedProbabilities: Float32Array.from({ length: tokens * candidates }, (_, i) =>
      taught[Math.floor(i / candidates)] ? 0.3 : 0,
    ),
    fusedTail: Float32Array.from({ length: tokens }, (_, i) => (taught[i] ? 0.1 : 0)),
  };
}
