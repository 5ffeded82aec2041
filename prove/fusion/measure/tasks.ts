import { modelFingerprint } from '../../../model/model-fingerprint.ts';
import type { RunConfig } from '../../../process/config/schema.ts';
import type { Experiment, ExperimentSettings } from '../experiment.ts';
import type { Study } from '../study.ts';
import { targetOfSeed } from '../targets.ts';
import { codeVersion } from './code-version.ts';
import { type Documents, digestTexts, documentsOf, readEntries } from './documents.ts';
import type { NamedResult } from './equal-effort.ts';
import type { NamedModel } from './record-source.ts';
import { type Circumstances, resultKey } from './result-key.ts';
import type { Result } from './results-file.ts';
import { settingsOf } from './settings.ts';

/** An experiment with one seed. */
export interface Task {
  readonly key: string;
  readonly experiment: Experiment;
  readonly settings: ExperimentSettings;
  readonly seed: number;
}

/** What all tasks of a study have in common. */
interface Prepared {
  readonly config: RunConfig;
  readonly targetSize: Study['targetSize'];
  readonly documents: Documents;
  readonly circumstances: Pick<Circumstances, 'documents' | 'heldOut' | 'code'>;
}

/** Each experiment of a study with each seed, and the documents that they are trained on. */
export async function tasksOf(
  { config, targetSize, experiments }: Study,
  seeds: readonly number[],
  signal: AbortSignal,
): Promise<{ readonly tasks: readonly Task[]; readonly documents: Documents }> {
  const documents = await documentsOf(config, signal);
  const order = '../../../services/feeder/document-order.ts';
  const entries = ['./train-experiment.ts', './score-texts.ts', order];
  const versions = await Promise.all(entries.map((entry) => codeVersion(import.meta.resolve(entry))));
  const code = versions.join(' ');
  const heldOut = digestTexts(await readEntries(config.heldOut));
  const prepared = {
    config,
    targetSize,
    documents,
    circumstances: { documents: documents.sha256, heldOut, code },
  };
  const tasks: Task[] = [];
  for (const experiment of experiments) {
    for (const seed of seeds.slice(0, experiment.seeds))
      tasks.push(await taskOf(experiment, seed, prepared, signal));
  }
  return { tasks, documents };
}

async function taskOf(
  experiment: Experiment,
  seed: number,
  { config, targetSize, circumstances }: Prepared,
  signal: AbortSignal,
): Promise<Task> {
  const target = await targetOfSeed(seed, { size: targetSize, signal });
  const settings = settingsOf(experiment, config, target);
  const paths = [target, ...sourcesOf(settings).map(({ model }) => model)];
  const models = await Promise.all(
    paths.map(async (path) => Buffer.from(await modelFingerprint(path)).toString('hex')),
  );
  return { key: resultKey(settings, { ...circumstances, seed, models }), experiment, settings, seed };
}

/** The sources of an experiment, with the directories of their models. */
export const sourcesOf = ({ config: { teachers, target }, sources }: ExperimentSettings): NamedModel[] =>
  sources.map((name) => ({ name, model: teachers.find((one) => one.name === name)?.model ?? target.model }));

/** The results of those tasks that are known. */
export const namedResults = (tasks: readonly Task[], known: ReadonlyMap<string, Result>): NamedResult[] =>
  tasks.flatMap(({ key, experiment: { name }, settings: { share, passes } }) => {
    const result = known.get(key);
    return result === undefined ? [] : [{ experiment: name, share, passes, result }];
  });
