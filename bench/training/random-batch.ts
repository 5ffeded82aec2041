import { createRandom } from '../../test/support/random.ts';
import type { Request } from './request.ts';

/** Random ids and, at every position, a label and a distribution over candidates that are all different. */
export function randomBatch(
  rows: number,
  length: number,
  candidates: number,
  vocabularySize: number,
): Pick<Request, 'inputIds' | 'labels' | 'fusedIds' | 'fusedProbabilities'> {
  const random = createRandom(5);
  const id = () => Math.floor(random() * vocabularySize);
  const each = <T>(make: () => T) => Array.from({ length: rows }, () => Array.from({ length }, () => make()));
  const distribution = () => {
    const shares = Array.from({ length: candidates }, () => 0.1 + random());
    const sum = shares.reduce((a, b) => a + b);
    return shares.map((share) => share / sum);
  };
  const different = () => {
    const ids = new Set<number>();
    while (ids.size < candidates) ids.add(id());
    return [...ids];
  };
  return {
    inputIds: each(id),
    labels: each(id),
    fusedIds: each(different),
    fusedProbabilities: each(distribution),
  };
}
