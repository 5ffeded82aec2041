import { join } from 'node:path';
import { startWorker } from '../../../model/runtime/worker.ts';
import { documentOrder } from '../../../services/feeder/document-order.ts';
import { epochOrder } from '../../../trainer/recording/epoch-order.ts';
import { keptDirectory } from '../directories.ts';
import type { Study } from '../study.ts';
import { type Documents, modelsOf } from './documents.ts';
import { type NamedResult, refuseUnequal } from './equal-effort.ts';
import { recordSources } from './record-sources.ts';
import { refuseStopped } from './refuse-stopped.ts';
import { appendResult, type Result, readResults } from './results-file.ts';
import { sideBySide } from './side-by-side.ts';
import { namedResults, sourcesOf, type Task, tasksOf } from './tasks.ts';
import type { TrialMethods } from './trial-worker.ts';

/** File of a study's results so far. */
export const resultsPath = ({ name }: Pick<Study, 'name'>): string =>
  join(keptDirectory, `results-${name}.jsonl`);

/** Experiments that are computed at a time, each with one thread. */
const atOnce = 2;

/**
 * Computes what of a study's experiments is not known yet, each with every seed.
 *
 * @returns one result for each experiment and seed, whether it has been computed now or before
 * @throws FuseMeshError cancelled when aborted; what has been computed by then is kept
 */
export async function measure(
  study: Study,
  seeds: readonly number[],
  signal: AbortSignal,
): Promise<NamedResult[]> {
  const { tasks, documents } = await tasksOf(study, seeds, signal);
  const known = await readResults(resultsPath(study));
  const unknown = [...new Map(tasks.map((task) => [task.key, task])).values()].filter(
    ({ key }) => !known.has(key),
  );
  console.log(`${tasks.length} results, ${unknown.length} of them still to be computed`);

  const recordings = await recordSources(
    unknown.flatMap(({ settings }) => sourcesOf(settings)),
    documents,
    { atOnce, signal },
  );
  const tokenizers = modelsOf(study.config);
  const began = performance.now();
  let done = 0;
  await sideBySide(unknown, atOnce, async (task) => {
    const result = await compute(task, { documents, recordings, tokenizers }, signal);
    known.set(task.key, result);
    await appendResult(resultsPath(study), result);
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
  const results = namedResults(tasks, known);
  refuseUnequal(results);
  return results;
}

/** What trainings are computed from, beside their settings. */
interface Inputs {
  readonly documents: Documents;
  /** Paths, by the directory of the model. */
  readonly recordings: ReadonlyMap<string, string>;
  /** Hugging Face directories of all models of the study. */
  readonly tokenizers: readonly string[];
}

async function compute(
  { key, experiment, settings, seed }: Task,
  { documents, recordings, tokenizers }: Inputs,
  signal: AbortSignal,
): Promise<Result> {
  const { config, share, passes, topP } = settings;
  // As the feeder of a run with this seed; a share of the documents is the first of them.
  const order = [...documentOrder(new Uint32Array(documents.texts.length), seed)];
  const first = order.slice(0, Math.round(share * order.length));
  const recorded = Array.from({ length: passes }, (_, epoch) =>
    [...epochOrder(first.length, { seed, epoch, numberedBy: seed })].map((place) => first[place]),
  ).flat();
  const sources = sourcesOf(settings).map(({ name, model }) => ({ name, recording: recordings.get(model)! }));
  refuseStopped(signal);
  const { remote, stop: end } = startWorker<TrialMethods>(new URL('./trial-worker.ts', import.meta.url));
  // A thread that is ended in the middle of a step takes the process with it.
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const stopOnAbort = () => Atomics.store(stop, 0, 1);
  signal.addEventListener('abort', stopOnAbort);
  try {
    const outcome = await remote.trainExperiment({
      config,
      topP,
      sources,
      recorded,
      tokenizers,
      stop,
      texts: recorded.map((number) => documents.texts[number]),
    });
    const { learningRate } = config.trainer;
    return { key, name: experiment.name, seed, learningRate, ...outcome };
  } finally {
    signal.removeEventListener('abort', stopOnAbort);
    await end();
  }
}
