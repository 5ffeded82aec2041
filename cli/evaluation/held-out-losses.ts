import { setMaxListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { bitsPerByteOfDomains, type TextLoss } from '../../texts/bits-per-byte.ts';
import { TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { heldOutPiecesOfRun } from './held-out-pieces.ts';
import type { DomainLoss } from './loss-report.ts';
import { scoreByModel, scoreByTeacher } from './score-pieces.ts';

/** Where the trainer of a run writes the fused model. */
export const fusedModelDirectory = (config: RunConfig): string => join(config.trainer.output, 'model');

/** Whether the trainer has done its last step. */
export const fusedModelIsWritten = (config: RunConfig): boolean =>
  existsSync(join(fusedModelDirectory(config), 'config.json'));

/**
 * Held-out losses of every teacher of a run and of its target, before and after. A teacher that has a fixed
 * port is asked by gRPC; one whose port is 0 is read from its model directory.
 *
 * @throws FuseMeshError invalid_argument when the run has no held-out texts
 */
export async function heldOutLosses(config: RunConfig, signal: AbortSignal): Promise<DomainLoss[]> {
  if (config.heldOut.length === 0) {
    throw new FuseMeshError(
      'invalid_argument',
      'heldOut in the run file is empty: name the texts to evaluate on.',
    );
  }
  // Every call in flight listens to it.
  setMaxListeners(0, signal);
  const pieces = await heldOutPiecesOfRun(config, signal);
  const texts = pieces.map(({ text }) => text);
  const byDomain = async (losses: Promise<TextLoss[]>) => bitsPerByteOfDomains(pieces, await losses);

  const { threads } = config.trainer;
  const targets = (async () => ({
    before: await byDomain(scoreByModel(config.target.model, texts, { threads, signal })),
    after: fusedModelIsWritten(config)
      ? await byDomain(scoreByModel(fusedModelDirectory(config), texts, { threads, signal }))
      : undefined,
  }))();
  const teachers = config.teachers.map(
    async (teacher) =>
      [teacher.name, await byDomain(teacherLosses(teacher, texts, config.security, signal))] as const,
  );

  const [{ before, after }, ...ofTeachers] = await Promise.all([targets, ...teachers]);
  return [...before].map(([name, loss]) => ({
    name,
    before: loss,
    after: after?.get(name) ?? null,
    teachers: Object.fromEntries(ofTeachers.map(([teacher, losses]) => [teacher, losses.get(name)!])),
  }));
}

async function teacherLosses(
  { name, address, model, threads }: RunConfig['teachers'][number],
  texts: readonly string[],
  security: RunConfig['security'],
  signal: AbortSignal,
): Promise<TextLoss[]> {
  if (address.endsWith(':0')) {
    if (model !== undefined) return scoreByModel(model, texts, { threads, signal });
    throw new FuseMeshError(
      'invalid_argument',
      `The teacher "${name}" has neither a fixed port nor a model: set one of them to evaluate it.`,
    );
  }
  const client = createClient(TeacherService, address, security);
  try {
    return await scoreByTeacher(client, texts, signal);
  } finally {
    client.close();
  }
}
