import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { onDisk } from '../../../errors/on-disk.ts';
import { modelFingerprint } from '../../../model/model-fingerprint.ts';
import type { RunWeights, WeightsObject } from '../../../wire/nats/weights.ts';
import { descriptionOf } from '../../../wire/nats/weights-description.ts';
import type { TrainedFile, WeightsSource } from './weights-source.ts';

/**
 * The weights that the trainer of a run publishes.
 *
 * @param model Hugging Face directory of the model that is trained
 */
export async function publishedWeights(weights: RunWeights, model: string): Promise<WeightsSource> {
  const ours = Buffer.from(await modelFingerprint(model)).toString('hex');

  async function fetch(object: WeightsObject, directory: string, signal: AbortSignal): Promise<TrainedFile> {
    const { model: theirs, adapter } = descriptionOf(object);
    if (theirs !== ours) {
      throw new FuseMeshError(
        'failed_precondition',
        `The weights of step ${object.step} are of another model than ${model}: give trainer and target service the same target.model.`,
      );
    }
    const path = join(directory, 'fetched.safetensors');
    await onDisk(path, async () => {
      const file = await open(path, 'w');
      try {
        await weights.read(object, (chunk) => file.writeFile(chunk), signal);
      } finally {
        await file.close();
      }
    });
    return { path, adapter };
  }

  return {
    async *follow(signal) {
      if ((await weights.newest(signal)) === undefined && !signal.aborted) yield undefined;
      for await (const object of weights.follow(signal)) {
        const { step, sha256: id } = object;
        yield { step, id, fetch: (directory, until) => fetch(object, directory, until) };
      }
    },
  };
}
