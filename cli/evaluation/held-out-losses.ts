import { setMaxListeners } from 'node:events';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { ContentEncoder } from '../../model/chat/content-encoder.ts';
import type { Content } from '../../model/chat/conversation.ts';
import { openInferenceWeights } from '../../model/families/inference-weights.ts';
import { readArchitecture } from '../../model/families/read-architecture.ts';
import { findModelFiles } from '../../model/model-files.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { encodersOfRun } from '../../services/feeder/encoders-of-run.ts';
import { bitsPerByteOfDomains, type HeldOutPiece, type TextLoss } from '../../texts/bits-per-byte.ts';
import { heldOutPieces } from '../../texts/held-out-pieces.ts';
import { SkippedRows } from '../../texts/skipped-rows.ts';
import { fusedModelDirectory, fusedModelIsWritten } from '../../trainer/fused-model.ts';
import { TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import type { DomainLoss } from '../stored/run-result.ts';
import { scoreByModel, scoreByTeacher } from './score-pieces.ts';

/** What the held-out losses of a run are made of. */
export interface HeldOut {
  readonly pieces: readonly HeldOutPiece[];
  /** Of the target, then of the teachers in their order. */
  readonly encoders: readonly ContentEncoder[];
}

/**
 * Reads the held-out texts of a run and looks whether all of its models can be evaluated on them, so that a fault shows
 * before a training and not behind it. Says what is left out.
 *
 * @throws FuseMeshError not_found for what is missing, invalid_argument for texts or a model that do not do
 */
export async function readHeldOut(config: RunConfig, signal: AbortSignal): Promise<HeldOut> {
  const { heldOut, contextLength, target, teachers } = config;
  const onDisk = teachers.filter(isReadFromDisk).map((teacher) => modelOf(teacher));
  for (const model of [target.model, ...onDisk]) await refuseUnscorable(model, contextLength);
  const encoders = await encodersOfRun(config, signal);
  const names = ['the target', ...teachers.map(({ name }) => name)];
  const readers = encoders.map((encoder, i) => ({ name: names[i], encoder }));
  const skipped = new SkippedRows();
  const pieces = await heldOutPieces(heldOut, { readers, contextLength }, (row) => skipped.add(row));
  if (skipped.count > 0) process.stderr.write(`fusemesh: heldOut: ${skipped.sentence()}\n`);
  return { pieces, encoders };
}

/**
 * Held-out losses, on what is learnt, of every teacher of a run and of its target, before and after. A teacher that has a fixed
 * port is asked by gRPC; one whose port is 0 is read from its model directory.
 *
 * @param read what {@link readHeldOut} has given for the same teachers; left out, it is read now
 * @throws FuseMeshError invalid_argument when the run has no held-out texts
 */
export async function heldOutLosses(
  config: RunConfig,
  signal: AbortSignal,
  read?: HeldOut,
): Promise<DomainLoss[]> {
  if (config.heldOut.length === 0) {
    throw new FuseMeshError(
      'invalid_argument',
      'heldOut in the run file is empty: name the texts to evaluate on.',
    );
  }
  // Every call in flight listens to the signal: many listeners are no leak.
  setMaxListeners(0, signal);
  const { pieces, encoders } = read ?? (await readHeldOut(config, signal));
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

type Teacher = RunConfig['teachers'][number];

/** A port that is still to be chosen answers nobody. */
const isReadFromDisk = ({ address }: Teacher): boolean => address.endsWith(':0');

function modelOf({ name, model }: Teacher): string {
  if (model !== undefined) return model;
  throw new FuseMeshError(
    'invalid_argument',
    `The teacher "${name}" has neither a fixed port nor a model: set one of them to evaluate it.`,
  );
}

/** Of an export, only that it is there: what else may be wrong with it shows when it is opened. */
async function refuseUnscorable(model: string, contextLength: number): Promise<void> {
  const { directory, exported } = await findModelFiles(model);
  if (exported !== undefined) return;
  const architecture = await readArchitecture(directory);
  if (architecture.contextLength < contextLength) {
    throw new FuseMeshError(
      'invalid_argument',
      `${model} takes ${architecture.contextLength} tokens, and contextLength is ${contextLength}: lower it to evaluate all models of the run.`,
    );
  }
  await (await openInferenceWeights(directory, architecture, { onDevice: false })).close();
}

async function teacherLosses(
  teacher: Teacher & { readonly encoder: ContentEncoder },
  contents: readonly Content[],
  security: RunConfig['security'],
  signal: AbortSignal,
): Promise<TextLoss[]> {
  const { encoder, threads } = teacher;
  if (isReadFromDisk(teacher))
    return scoreByModel({ directory: modelOf(teacher), encoder }, contents, { threads, signal });
  const client = createClient(TeacherService, teacher.address, security);
  try {
    return await scoreByTeacher(client, contents, signal);
  } finally {
    client.close();
  }
}
