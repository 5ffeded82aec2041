import { setMaxListeners } from 'node:events';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { ContentEncoder } from '../../model/chat/content-encoder.ts';
import type { Content } from '../../model/chat/conversation.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { encodersOfRun } from '../../services/feeder/encoders-of-run.ts';
import { bitsPerByteOfDomains, type HeldOutPiece, type TextLoss } from '../../texts/bits-per-byte.ts';
import { heldOutPieces } from '../../texts/held-out-pieces.ts';
import { SkippedRows } from '../../texts/skipped-rows.ts';
import { TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { fusedModelDirectory, fusedModelIsWritten } from '../stored/fused-model.ts';
import type { DomainLoss } from '../stored/run-result.ts';
import { scoreByModel, scoreByTeacher } from './score-pieces.ts';

/**
 * Held-out losses, on what is learnt, of every teacher of a run and of its target, before and after. A teacher that has a fixed
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
  const encoders = await encodersOfRun(config, signal);
  const pieces = await piecesOf(config, encoders);
  const contents = pieces.map(({ content }) => content);
  const byDomain = async (losses: Promise<TextLoss[]>) => bitsPerByteOfDomains(pieces, await losses);

  const { threads } = config.trainer;
  const ofTarget = (directory: string) =>
    byDomain(scoreByModel({ directory, encoder: encoders[0] }, contents, { threads, signal }));
  const targets = (async () => ({
    before: await ofTarget(config.target.model),
    after: fusedModelIsWritten(config) ? await ofTarget(fusedModelDirectory(config)) : undefined,
  }))();
  const teachers = config.teachers.map(
    async (teacher, i) =>
      [
        teacher.name,
        await byDomain(
          teacherLosses({ ...teacher, encoder: encoders[i + 1] }, contents, config.security, signal),
        ),
      ] as const,
  );

  const [{ before, after }, ...ofTeachers] = await Promise.all([targets, ...teachers]);
  return [...before].map(([name, loss]) => ({
    name,
    before: loss,
    after: after?.get(name) ?? null,
    teachers: Object.fromEntries(ofTeachers.map(([teacher, losses]) => [teacher, losses.get(name)!])),
  }));
}

/** Says what is left out. */
async function piecesOf(
  { heldOut, contextLength }: RunConfig,
  encoders: readonly ContentEncoder[],
): Promise<HeldOutPiece[]> {
  const skipped = new SkippedRows();
  const pieces = await heldOutPieces(heldOut, { encoders, contextLength }, (row) => skipped.add(row));
  if (skipped.count > 0) process.stderr.write(`fusemesh: heldOut: ${skipped.sentence()}\n`);
  return pieces;
}

async function teacherLosses(
  {
    name,
    address,
    model,
    encoder,
    threads,
  }: RunConfig['teachers'][number] & { readonly encoder: ContentEncoder },
  contents: readonly Content[],
  security: RunConfig['security'],
  signal: AbortSignal,
): Promise<TextLoss[]> {
  if (address.endsWith(':0')) {
    if (model !== undefined)
      return scoreByModel({ directory: model, encoder }, contents, { threads, signal });
    throw new FuseMeshError(
      'invalid_argument',
      `The teacher "${name}" has neither a fixed port nor a model: set one of them to evaluate it.`,
    );
  }
  const client = createClient(TeacherService, address, security);
  try {
    return await scoreByTeacher(client, contents, signal);
  } finally {
    client.close();
  }
}
