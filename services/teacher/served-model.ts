import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../process/config/schema.ts';

/** What one teacher process serves, and where. */
export interface ServedModel {
  readonly name: string;
  /** HOST:PORT of the gRPC service. */
  readonly address: string;
  /** Hugging Face directory. */
  readonly model: string;
  readonly threads: number;
  readonly batchDocuments: number;
  readonly metricsPort: number;
}

/**
 * Finds a teacher of a run by its name. The target's frozen copy (target.source) counts as one.
 *
 * @throws FuseMeshError not_found for an unknown name, invalid_argument for a teacher without a model
 */
export function servedModel(config: RunConfig, name: string): ServedModel {
  const { source, model: targetModel } = config.target;
  if (source?.name === name) return { ...source, model: targetModel };

  const teacher = config.teachers.find((candidate) => candidate.name === name);
  if (!teacher) {
    const names = [...config.teachers.map((candidate) => candidate.name), ...(source ? [source.name] : [])];
    throw new FuseMeshError(
      'not_found',
      `The run ${config.run} has no teacher "${name}"; it has ${names.join(', ')}.`,
    );
  }
  const { model } = teacher;
  if (model === undefined) {
    const key = `teachers.${config.teachers.indexOf(teacher)}.model`;
    throw new FuseMeshError(
      'invalid_argument',
      `The teacher "${name}" has no model in the run file: set ${key} to a Hugging Face directory.`,
    );
  }
  return { ...teacher, model };
}
