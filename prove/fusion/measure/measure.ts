import { join } from 'node:path';
import type { RunConfig } from '../../../mesh/config/schema.ts';
import { modelFingerprint } from '../../../model/model-fingerprint.ts';
import { startWorker } from '../../../model/runtime/worker.ts';
import type { Experiment, ExperimentSettings } from '../experiment.ts';
import { keptDirectory } from '../places.ts';
import { targetOfSeed } from '../targets.ts';
import { codeVersion } from './code-version.ts';
import { documentOrder } from './document-order.ts';
import { type Documents, digestTexts, documentsOf, modelsOf, readEntries } from './documents.ts';
import { type NamedResult, refuseUnequal } from './equal-effort.ts';
import { type NamedModel, recordSources } from './record-sources.ts';
import { refuseStopped } from './refuse-stopped.ts';
import { resultKey } from './result-key.ts';
import { appendResult, type Result, readResults } from './results-file.ts';
import { loadDemo, settingsOf } from './settings.ts';
import { sideBySide } from './side-by-side.ts';
import type { TrialMethods } from './trial-worker.ts';

/** Experiments that are computed together, each with one thread. */
const atOnce = 2;

export const resultsPath = join(keptDirectory, 'results.jsonl');

/** An experiment with one seed. */
interface Task {
  readonly key: string;
  readonly experiment: Experiment;
  readonly settings: ExperimentSettings;
  readonly seed: number;
}

interface Prepared {
  readonly demo: RunConfig;
  readonly documents: Documents;
  readonly circumstances: { readonly documents: string; readonly heldOut: string; readonly code: string };
}

/**
 * Computes what of the experiments is not known yet, each with every seed.
 *
 * @returns one result for each experiment and seed, whether it has been computed now or before
 * @throws FuseMeshError cancelled when aborted; what has been computed by then is kept
 */
export async function measure(
  experiments: readonly Experiment[],
  seeds: readonly number[],
  signal: AbortSignal,
): Promise<NamedResult[]> {
  const demo = await loadDemo();
  const documents = await documentsOf(demo, signal);
  const entries = ['./train-experiment.ts', './score-texts.ts', './document-order.ts'];
  const versions = await Promise.all(entries.map((entry) => codeVersion(import.meta.resolve(entry))));
  const code = versions.join(' ');
  const heldOut = digestTexts(await readEntries(demo.heldOut));
  const prepared = { demo, documents, circumstances: { documents: documents.sha256, heldOut, code } };
  const tasks: Task[] = [];
  for (const experiment of experiments) {
    for (const seed of seeds) tasks.push(await taskOf(experiment, seed, prepared, signal));
  }
  const known = await readResults(resultsPath);
  const unknown = [...new Map(tasks.map((task) => [task.key, task])).values()].filter(
    ({ key }) => !known.has(key),
  );
  console.log(`${tasks.length} results, ${unknown.length} of them still to be computed`);

  const recorded = await recordSources(
    unknown.flatMap(({ settings }) => sourcesOf(settings)),
    documents,
    { atOnce, signal },
  );
  const began = performance.now();
  let done = 0;
  await sideBySide(unknown, atOnce, async (task) => {
    const result = await compute(task, recorded, prepared, signal);
    known.set(task.key, result);
    await appendResult(resultsPath, result);
    done++;
    const minutes = ((performance.now() - began) / 60_000 / done) * (unknown.length - done);
    console.log(
      `${done} of ${unknown.length}: ${task.experiment.name}, seed ${task.seed}: ` +
        `${Object.values(result.bitsPerByte)
          .map((bits) => bits.toFixed(4))
          .join(' ')} bits per byte, ` +
        `${result.seconds.toFixed(0)} s; ${minutes.toFixed(0)} minutes left`,
    );
  });
  const results = tasks.map(({ key, experiment, settings: { share } }) => ({
    ...{ experiment: experiment.name, share, result: known.get(key)! },
  }));
  refuseUnequal(results);
  return results;
}

async function taskOf(
  experiment: Experiment,
  seed: number,
  { demo, circumstances }: Prepared,
  signal: AbortSignal,
): Promise<Task> {
  const target = await targetOfSeed(seed, signal);
  const settings = settingsOf(experiment, demo, target);
  const paths = [target, ...sourcesOf(settings).map(({ model }) => model)];
  const models = await Promise.all(
    paths.map(async (path) => Buffer.from(await modelFingerprint(path)).toString('hex')),
  );
  return { key: resultKey(settings, { ...circumstances, seed, models }), experiment, settings, seed };
}

/** The sources of an experiment, with the directories of their models. */
const sourcesOf = ({ config: { teachers, target }, sources }: ExperimentSettings): NamedModel[] =>
  sources.map((name) => ({ name, model: teachers.find((one) => one.name === name)?.model ?? target.model }));

async function compute(
  { key, experiment, settings, seed }: Task,
  recordings: ReadonlyMap<string, string>,
  { demo, documents }: Prepared,
  signal: AbortSignal,
): Promise<Result> {
  const { config, share } = settings;
  const recorded = documentOrder(documents.texts.length, seed, share);
  const sources = sourcesOf(settings).map(({ name, model }) => ({
    ...{ name, model, recording: recordings.get(model)! },
  }));
  refuseStopped(signal);
  const { remote, stop: end } = startWorker<TrialMethods>(new URL('./trial-worker.ts', import.meta.url));
  // A thread that is ended in the middle of a step takes the process with it.
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const stopOnAbort = () => Atomics.store(stop, 0, 1);
  signal.addEventListener('abort', stopOnAbort);
  try {
    const outcome = await remote.trainExperiment({
      ...{ config, sources, recorded, tokenizers: modelsOf(demo), stop },
      texts: recorded.map((number) => documents.texts[number]),
    });
    const { learningRate } = config.trainer;
    return { key, name: experiment.name, seed, learningRate, ...outcome };
  } finally {
    signal.removeEventListener('abort', stopOnAbort);
    await end();
  }
}
