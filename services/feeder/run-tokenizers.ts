import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { findModelFiles } from '../../model/model-files.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { fetchTokenizer } from './fetch-tokenizer.ts';

/**
 * The tokenizers of a run: the target's from its directory, each teacher's from the teacher. Where a run goes
 * on without teachers that do not come, one whose model lies on this machine is not asked: the documents must
 * not depend on who is there, or a feeder that starts again would cut them otherwise.
 */
export function runTokenizers(config: RunConfig, signal: AbortSignal): Promise<Tokenizer[]> {
  return Promise.all([
    Tokenizer.fromFile(join(config.target.model, 'tokenizer.json')),
    ...config.teachers.map(async ({ address, model }) => {
      const lying = config.trainer.join === 'all' ? undefined : await tokenizerOfModel(model);
      return lying ?? fetchTokenizer(address, config.security, signal);
    }),
  ]);
}

/** Undefined where the model does not lie on this machine. */
async function tokenizerOfModel(model: string | undefined): Promise<Tokenizer | undefined> {
  if (model === undefined) return undefined;
  const { directory } = await findModelFiles(model);
  try {
    return await Tokenizer.fromFile(join(directory, 'tokenizer.json'));
  } catch (error) {
    if (error instanceof FuseMeshError && error.code === 'not_found') return undefined;
    throw error;
  }
}
