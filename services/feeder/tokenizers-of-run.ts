import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { findModelFiles } from '../../model/model-files.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { sleepUnlessAborted } from '../../process/lifecycle/repeat.ts';
import { TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { downloadTokenizer } from '../../wire/grpc/download-tokenizer.ts';

const tryAgainAfter = 500;
/** How long a teacher that is not up yet is waited for, in milliseconds. */
const waitForTeacher = 120_000;

type Settings = Pick<RunConfig, 'target' | 'teachers' | 'trainer' | 'security'>;

/**
 * The tokenizers of a run's models: the target's from its directory, each teacher's from the teacher, which is waited
 * for. Where a run goes on without teachers that do not come, one whose model lies on this machine is not asked: the
 * documents must not depend on who is there, or a feeder that starts again would cut them differently.
 *
 * @throws FuseMeshError not_found for a tokenizer that is missing, unavailable when a teacher does not answer in two
 *   minutes, cancelled when aborted
 */
export function tokenizersOfRun(config: Settings, signal: AbortSignal): Promise<Tokenizer[]> {
  const asksTeachers = config.trainer.join === 'all';
  return Promise.all([
    tokenizerIn(config.target.model),
    ...config.teachers.map(async ({ address, model, tokenizer }) => {
      const directory = tokenizer ?? model;
      // A port that is still to be chosen answers nobody.
      if (directory !== undefined && address.endsWith(':0')) return tokenizerIn(directory);
      const local = asksTeachers || directory === undefined ? undefined : await tokenizerIfHere(directory);
      return local ?? fetchTokenizer(address, config.security, signal);
    }),
  ]);
}

async function tokenizerIn(model: string): Promise<Tokenizer> {
  const { directory } = await findModelFiles(model);
  return Tokenizer.fromFile(join(directory, 'tokenizer.json'));
}

/** Undefined where the model does not lie on this machine. */
async function tokenizerIfHere(model: string): Promise<Tokenizer | undefined> {
  try {
    return await tokenizerIn(model);
  } catch (error) {
    if (error instanceof FuseMeshError && error.code === 'not_found') return undefined;
    throw error;
  }
}

/** From the teacher itself, once it is up. */
async function fetchTokenizer(
  address: string,
  security: RunConfig['security'],
  signal: AbortSignal,
): Promise<Tokenizer> {
  const client = createClient(TeacherService, address, security);
  const deadline = Date.now() + waitForTeacher;
  try {
    for (;;) {
      try {
        const json = await downloadTokenizer(client, { signal });
        return Tokenizer.fromJson(json, `the tokenizer of the teacher at ${address}`);
      } catch (error) {
        const isDown = error instanceof FuseMeshError && error.code === 'unavailable';
        if (!isDown || Date.now() >= deadline) throw error;
        await sleepUnlessAborted(tryAgainAfter, signal);
      }
    }
  } finally {
    client.close();
  }
}
