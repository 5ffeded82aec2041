import type { RunConfig } from './schema.ts';

type TeacherSettings = RunConfig['teachers'][number];

/** What a run's target learns from: a teacher of the run file, or the frozen copy of the target. */
export interface RunSource extends TeacherSettings {
  /** Where it stands in the run file: teachers.0, target.source. */
  readonly key: string;
}

/** The sources of a run in the order in which ties between them are broken: the teachers, then the target's copy. */
export function sourcesOf({ teachers, target }: Pick<RunConfig, 'teachers' | 'target'>): RunSource[] {
  const sources: RunSource[] = teachers.map((teacher, i) => ({ ...teacher, key: `teachers.${i}` }));
  const { source, model, chatTemplate } = target;
  if (source) sources.push({ ...source, model, chatTemplate, key: 'target.source' });
  return sources;
}
