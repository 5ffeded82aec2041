import { join } from 'node:path';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { refuseContradictions } from '../../../process/config/cross-key-rules.ts';
import { loadRunConfig } from '../../../process/config/load-config.ts';
import { sourcesOf } from '../../../process/config/run-sources.ts';
import { type RunConfig, runConfigSchema } from '../../../process/config/schema.ts';
import { repository } from '../directories.ts';
import type { Experiment, ExperimentSettings } from '../experiment.ts';

/** The demo's run file with the target's frozen copy, as FuseLLM has it; the environment changes nothing in it. */
export const loadDemo = (): Promise<RunConfig> =>
  loadRunConfig(join(repository, 'examples', 'demo.yaml'), {
    environment: {},
    overrides: ['target.source.address=127.0.0.1:0'],
  });

/**
 * What an experiment runs with: texts, context, batches and schedule are those of its study, all else is what the
 * schema says where a run file says nothing, or the experiment.
 *
 * @param study run file of the study
 * @param target directory of the model that is trained
 * @throws FuseMeshError not_found for a source that the study does not have, invalid_argument where settings do not
 *   go together
 */
export function settingsOf(experiment: Experiment, study: RunConfig, target: string): ExperimentSettings {
  const { corpus, heldOut, contextLength } = study;
  const { batchDocuments, warmupRatio, learningRate } = study.trainer;
  const known = sourcesOf(study).map(({ name }) => name);
  const unknown = experiment.sources.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new FuseMeshError(
      'not_found',
      `${experiment.name}: there is no source ${unknown}; there are ${known.join(', ')}.`,
    );
  }
  const copies = study.target.source && experiment.sources.includes(study.target.source.name);
  const config = runConfigSchema.parse({
    run: 'prove',
    corpus,
    heldOut,
    contextLength,
    topK: experiment.topK,
    topP: experiment.topP,
    teachers: study.teachers.filter(({ name }) => experiment.sources.includes(name)),
    target: { model: target, lora: study.target.lora, source: copies ? study.target.source : undefined },
    fusion: experiment.fusion ?? {},
    trainer: {
      output: 'unused',
      batchDocuments,
      warmupRatio,
      threads: 1,
      learningRate: experiment.learningRate ?? learningRate,
      lambda: experiment.lambda,
    },
  });
  refuseContradictions(config, experiment.name);
  const { share = 1, passes = 1 } = experiment;
  const topP = experiment.asRecorded ? undefined : config.topP;
  return { config, sources: sourcesOf(config).map(({ name }) => name), share, passes, topP };
}
