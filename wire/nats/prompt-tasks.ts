import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { mostTurns } from '../codec/document-bytes.ts';
import { mostFields, wireFields } from '../codec/wire-fields.ts';
import { type RolloutTask, RolloutTaskSchema } from '../generated/fusemesh/v1/corpus_pb.ts';
import { type RunContext, rolloutPartsPlace } from './names.ts';
import { publishWhole } from './parts.ts';
import { type QueuedMessage, takeFromQueue } from './rollout-queue.ts';

/** A completion that this process is to write. */
export interface DeliveredTask extends Pick<QueuedMessage, 'working' | 'ack' | 'giveBack'> {
  readonly task: RolloutTask;
}

/** After so many milliseconds without a sign, a task counts as lost with who had it. */
const ackWait = 10_000;
/** How often a task in hand is marked as worked on, in milliseconds: two marks may be late. */
export const markTaskEvery = ackWait / 4;

/** @param attempt tells this publication of the task from earlier ones */
export async function publishTask(
  context: RunContext,
  task: RolloutTask,
  { attempt, signal }: { readonly attempt: string; readonly signal: AbortSignal },
): Promise<void> {
  const { names } = context;
  const document = Number(task.document);
  await publishWhole(
    context,
    {
      subject: names.promptsPrefix + document,
      bytes: toBinary(RolloutTaskSchema, task),
      once: { msgID: `${document}/${attempt}` },
      doing: `publish the prompt of document ${document} of run ${names.run}`,
    },
    rolloutPartsPlace(names, 'prompts', document),
    { signal },
  );
}

/** @throws FuseMeshError data_loss where a task cannot be read */
export async function* takeTasks(context: RunContext, signal: AbortSignal): AsyncGenerator<DeliveredTask> {
  const { promptsStream: stream, run } = context.names;
  const doing = `take prompts of run ${run}`;
  for await (const message of takeFromQueue(
    context,
    { stream, consumer: 'workers', ackWait, batch: 1, doing, what: 'the prompts' },
    signal,
  )) {
    yield { ...message, task: taskFromBytes(message.bytes, message.document) };
  }
}

function taskFromBytes(bytes: Uint8Array, document: number): RolloutTask {
  try {
    wireFields(bytes, mostFields + mostTurns);
    return fromBinary(RolloutTaskSchema, bytes, { readUnknownFields: false });
  } catch (cause) {
    throw new FuseMeshError(
      'data_loss',
      `The prompt of document ${document} cannot be read (${(cause as Error).message}): bring this process to the version of the feeder.`,
      { cause },
    );
  }
}
