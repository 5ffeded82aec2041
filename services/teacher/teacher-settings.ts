import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { type RunSource, sourcesOf } from '../../process/config/run-sources.ts';
import type { RunConfig } from '../../process/config/schema.ts';

/** A teacher whose model this process loads. */
export interface LoadedTeacher extends RunSource {
  /** Hugging Face directory. */
  readonly model: string;
  readonly served?: undefined;
}

/** A teacher whose model a server computes. */
export interface ServedTeacher extends RunSource {
  readonly served: NonNullable<RunSource['served']>;
  /** Directory of its tokenizer.json. */
  readonly tokenizer: string;
}

/** What the run file says of one teacher, whose model is known. */
export type TeacherSettings = LoadedTeacher | ServedTeacher;

/**
 * Finds a teacher of a run by its name. The target's frozen copy (target.source) counts as one.
 *
 * @throws FuseMeshError not_found for an unknown name, invalid_argument for a teacher without a model
 */
export function teacherSettings(config: RunConfig, name: string): TeacherSettings {
  const sources = sourcesOf(config);
  const source = sources.find((candidate) => candidate.name === name);
  if (!source) {
    const names = sources.map((candidate) => candidate.name);
    throw new FuseMeshError(
      'not_found',
      `The run ${config.run} has no teacher "${name}"; it has ${names.join(', ')}.`,
    );
  }
  const { model, served, tokenizer, key } = source;
  if (served !== undefined && tokenizer !== undefined) return { ...source, served, tokenizer };
  if (model === undefined) {
    throw new FuseMeshError(
      'invalid_argument',
      `The teacher "${name}" has no model in the run file: set ${key}.model to a Hugging Face directory, or ${key}.served.`,
    );
  }
  return { ...source, model, served: undefined };
}
