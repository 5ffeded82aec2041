import { setMaxListeners } from 'node:events';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { tokenizersOfRun } from '../../services/feeder/tokenizers-of-run.ts';
import { bitsPerByteOfDomains, type TextLoss } from '../../texts/bits-per-byte.ts';
import { heldOutPieces } from '../../texts/held-out-pieces.ts';
import { TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { fusedModelDirectory, fusedModelIsWritten } from '../stored/fused-model.ts';
import type { DomainLoss } from '../stored/run-result.ts';
import { scoreByModel, scoreByTeacher } from './score-pieces.ts';

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
  // Every call in flight listens to the signal: many listeners are no leak.
  setMaxListeners(0, signal);
  const pieces = await heldOutPieces(
    config.heldOut,
    await tokenizersOfRun(config, signal),
    config.contextLength,
  );
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
