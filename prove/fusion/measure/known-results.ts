import type { Study } from '../study.ts';
import { type NamedResult, refuseUnequal } from './equal-effort.ts';
import { readResults } from './results-file.ts';
import { namedResults, tasksOf } from './tasks.ts';

/** What has been measured of a study, of those seeds with which all its experiments have been. */
export async function knownResults(
  study: Study,
  seeds: readonly number[],
  signal: AbortSignal,
): Promise<NamedResult[]> {
  const { tasks } = await tasksOf(study, seeds, signal);
  const known = await readResults(study.resultsPath);
  const complete = new Set(
    seeds.filter((seed) => tasks.every((task) => task.seed !== seed || known.has(task.key))),
  );
  const results = namedResults(
    tasks.filter(({ seed }) => complete.has(seed)),
    known,
  );
  refuseUnequal(results);
  return results;
}
