import type { FoundTeacher } from '../../../wire/discovery/teacher-listing.ts';
import type { Source } from './source.ts';

/**
 * Which of the teachers that were found are replicas of a source, beside the process that the run file names: those
 * with its name and its model that were started with a run file of the same run. Before any process of the source is
 * known, those that were started for this run.
 *
 * @param run that the trainer trains
 */
export function replicasOf(
  { name, named, identity }: Pick<Source, 'name' | 'named' | 'identity'>,
  found: readonly FoundTeacher[],
  run: string,
): FoundTeacher[] {
  const wanted = identity ?? { teacher: name, run, modelFingerprint: undefined };
  return found.filter(
    (one) =>
      one.teacher === wanted.teacher &&
      one.run === wanted.run &&
      (wanted.modelFingerprint ?? one.modelFingerprint) === one.modelFingerprint &&
      one.instance !== named.instance &&
      one.address !== named.address,
  );
}
