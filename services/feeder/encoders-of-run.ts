import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { ChatTemplate } from '../../model/chat/chat-template.ts';
import { ContentEncoder } from '../../model/chat/content-encoder.ts';
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
 * How a run's models read: tokenizer and chat template of the target from its directory, those of each teacher from the
 * teacher, which is waited for. Where a run goes on without teachers that do not come, one whose model lies on this machine
 * is not asked: the documents must not depend on who is there, or a feeder that starts again would cut them
 * differently.
 *
 * @param options.local asks no teacher whose model lies on this machine
 * @returns of the target, then of the teachers in their order
 * @throws FuseMeshError not_found for a tokenizer that is missing, unavailable when a teacher does not answer in two
 *   minutes, cancelled when aborted
 */
export function encodersOfRun(
  config: Settings,
  signal: AbortSignal,
  { local = config.trainer.join !== 'all' }: { readonly local?: boolean } = {},
): Promise<ContentEncoder[]> {
  return Promise.all([
    encoderIn(config.target.model, config.target.chatTemplate),
    ...config.teachers.map(async ({ address, model, tokenizer, chatTemplate }) => {
      const directory = tokenizer ?? model;
      // A port that is still to be chosen answers nobody.
      if (directory !== undefined && address.endsWith(':0')) return encoderIn(directory, chatTemplate);
      const here =
        local && directory !== undefined ? await encoderIfHere(directory, chatTemplate) : undefined;
      return here ?? fetchEncoder(address, config.security, signal);
    }),
  ]);
}

/**
 * How a model on disk reads.
 *
 * @param chatTemplate a file to take instead of the model's own template
 * @throws FuseMeshError not_found for a file that is missing, invalid_argument for one that cannot be used
 */
export async function encoderIn(model: string, chatTemplate?: string): Promise<ContentEncoder> {
  const { directory } = await findModelFiles(model);
  return new ContentEncoder(
    await Tokenizer.fromFile(join(directory, 'tokenizer.json')),
    await ChatTemplate.fromDirectory(directory, chatTemplate),
  );
}

/** Undefined where the model does not lie on this machine. */
async function encoderIfHere(
  model: string,
  chatTemplate: string | undefined,
): Promise<ContentEncoder | undefined> {
  try {
    return await encoderIn(model, chatTemplate);
  } catch (error) {
    if (error instanceof FuseMeshError && error.code === 'not_found') return undefined;
    throw error;
  }
}

/** From the teacher itself, once it is up. */
async function fetchEncoder(
  address: string,
  security: RunConfig['security'],
  signal: AbortSignal,
): Promise<ContentEncoder> {
  const client = createClient(TeacherService, address, security);
  const deadline = Date.now() + waitForTeacher;
  try {
    for (;;) {
      try {
        const json = await downloadTokenizer(client, { signal });
        const { chatFormat } = await client.getModelCard({}, { signal });
        const { template = '', specialTokens = {} } = chatFormat ?? {};
        return new ContentEncoder(
          Tokenizer.fromJson(json, `the tokenizer of the teacher at ${address}`),
          ChatTemplate.of({ template, specialTokens }, `the teacher at ${address}`),
        );
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
