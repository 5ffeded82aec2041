import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { checkpointName } from '../../../model/checkpoints/checkpoint-names.ts';
import { startWorker } from '../../../model/runtime/worker.ts';
import { sleepUnlessAborted } from '../../../process/lifecycle/repeat.ts';
import type { Log } from '../../../process/log/log.ts';
import type { ModelDirectoryMethods } from './model-directory-worker.ts';
import { makeScratchDirectory } from './scratch-directory.ts';
import type { OfferedWeights, WeightsSource } from './weights-source.ts';

export interface NewestWeightsOptions {
  /** Hugging Face directory of the model that is trained: what is served as step 0. */
  readonly model: string;
  readonly source: WeightsSource;
  /** Where models are written for a time; left out, among the system's temporary files. */
  readonly scratch?: string | undefined;
  /**
   * Serves the model of a Hugging Face directory as the weights of a step, and resolves when it does; nobody needs the
   * directory before it any more then. The step may be lower than before, where a trainer went back to a checkpoint.
   */
  onWeights(directory: string, step: number): Promise<void>;
  readonly signal: AbortSignal;
  readonly log: Pick<Log, 'debug' | 'warn'>;
}

/** What is served. */
interface Served extends Pick<OfferedWeights, 'step' | 'id'> {
  /** That was made for it; undefined where the target itself is served. */
  readonly directory: string | undefined;
}

/** Damaged weights are read again so often: what came over the network may have been. */
const mostTries = 3;
const tryAgainAfter = 1_000;

/**
 * Has the newest weights served, from now until aborted: the target itself where there are none yet, or weights of
 * step 0; else a directory made of them, as {@link writeModelDirectory} says.
 *
 * @throws FuseMeshError failed_precondition when weights are of another model; what `onWeights` and the disk fail with
 */
export async function serveNewestWeights(options: NewestWeightsOptions): Promise<void> {
  const { model, source, onWeights, signal, log } = options;
  const scratch = await makeScratchDirectory(options.scratch);
  const worker = startWorker<ModelDirectoryMethods>(new URL('./model-directory-worker.ts', import.meta.url));
  let served: Served | undefined;
  let made = 0;

  /** The weights as a directory; undefined where they cannot be had, and others are to be waited for. */
  async function directoryOf(weights: OfferedWeights): Promise<string | undefined> {
    const { step } = weights;
    const directory = join(scratch, `${checkpointName(step)}-${made++}`);
    for (let tries = 1; !signal.aborted; tries++) {
      try {
        const file = await weights.fetch(scratch, signal);
        await worker.remote.write(directory, model, file);
        return directory;
      } catch (error) {
        if (signal.aborted) return undefined;
        if (!(error instanceof FuseMeshError) || !['not_found', 'data_loss'].includes(error.code))
          throw error;
        log.warn({ step }, `The weights of step ${step} are not served: ${error.message}`);
        // Superseded ones do not come back.
        if (error.code === 'not_found' || tries === mostTries) return undefined;
      }
      await sleepUnlessAborted(tryAgainAfter, signal);
    }
    return undefined;
  }

  try {
    for await (const weights of source.follow(signal)) {
      const began = performance.now();
      const trained = weights?.step === 0 ? undefined : weights;
      const { step, id } = trained ?? { step: 0, id: '' };
      // Published again, as where NATS has lost them.
      if (served?.step === step && served.id === id) continue;
      const directory = trained && (await directoryOf(trained));
      if (trained && directory === undefined) continue;
      await onWeights(directory ?? model, step);
      if (served?.directory !== undefined) await rm(served.directory, { recursive: true, force: true });
      served = { step, id, directory };
      const seconds = (performance.now() - began) / 1000;
      log.debug({ step, seconds }, `The weights of step ${step} are served`);
    }
  } finally {
    await worker.stop();
    await rm(scratch, { recursive: true, force: true });
  }
}
