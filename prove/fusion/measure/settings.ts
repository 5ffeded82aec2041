import { join } from 'node:path';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { loadRunConfig } from '../../../mesh/config/load-config.ts';
import { type RunConfig, runConfigSchema } from '../../../mesh/config/schema.ts';
import type { Experiment, ExperimentSettings } from '../experiment.ts';
import { repository } from '../places.ts';

/** The demo's run file; the environment changes nothing in it. */
export const loadDemo = (): Promise<RunConfig> =>
  loadRunConfig(join(repository, 'examples', 'demo.yaml'), { environment: {} });

/**
 * What an experiment runs with: texts, context, batches and schedule are the demo's, all else is what the schema
 * says where a run file says nothing, or the experiment.
 *
 * @param target directory of the model that is trained
 * @throws FuseMeshError not_found for a source that the demo does not have
 */
export function settingsOf(experiment: Experiment, demo: RunConfig, target: string): ExperimentSettings {
  const { corpus, heldOut, contextLength } = demo;
  const { batchDocuments, warmupRatio, learningRate } = demo.trainer;
  const known = sourceNames(demo);
  const unknown = experiment.sources.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new FuseMeshError(
      'not_found',
      `${experiment.name}: the demo has no source ${unknown}, it has ${known.join(', ')}.`,
    );
  }
  const copies = demo.target.source && experiment.sources.includes(demo.target.source.name);
  const config = runConfigSchema.parse({
    ...{ run: 'prove', corpus, heldOut, contextLength },
    topK: experiment.topK,
    teachers: demo.teachers.filter(({ name }) => experiment.sources.includes(name)),
    target: { model: target, source: copies ? demo.target.source : undefined },
    fusion: experiment.fusion ?? {},
    trainer: {
      ...{ output: 'unused', batchDocuments, warmupRatio, threads: 1 },
      learningRate: experiment.learningRate ?? learningRate,
      lambda: experiment.lambda,
    },
  });
  return { config, sources: sourceNames(config), share: experiment.share ?? 1 };
}

/** Teachers, then the target's frozen copy, as in a run. */
export function sourceNames({ teachers, target }: Pick<RunConfig, 'teachers' | 'target'>): string[] {
  return [...teachers, ...(target.source ? [target.source] : [])].map(({ name }) => name);
}
