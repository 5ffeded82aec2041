import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { documentFromBytes, documentToBytes } from '../codec/document-bytes.ts';
import type { Document } from '../generated/fusemesh/v1/corpus_pb.ts';
import { type RunContext, rolloutPartsPlace } from './names.ts';
import { publishWhole } from './parts.ts';
import { type QueuedMessage, takeFromQueue } from './rollout-queue.ts';

/** What a worker has written, or why it cannot be read. */
export type DeliveredRollout = Pick<QueuedMessage, 'ack' | 'document'> &
  ({ readonly rollout: Document } | { readonly rollout: undefined; readonly malformed: string });

/** The feeder takes them one after another and writes them to its disk. */
const ackWait = 60_000;
const batch = 64;

/** Returns when the server has stored it. */
export async function publishRollout(
  context: RunContext,
  document: Document,
  signal: AbortSignal,
): Promise<void> {
  const { names } = context;
  const number = Number(document.number);
  const { weightsStep = 0n, seed = 0 } = document.rollout ?? {};
  await publishWhole(
    context,
    {
      subject: names.rolloutsPrefix + number,
      bytes: documentToBytes(document),
      // By the same weights and seed it is the same.
      once: { msgID: `${number}/${weightsStep}/${seed}/${document.rollout?.seconds ?? 0}` },
      doing: `publish the rollout of document ${number} of run ${names.run}`,
    },
    rolloutPartsPlace(names, 'rollouts', number),
    { signal },
  );
}

export async function* takeRollouts(
  context: RunContext,
  signal: AbortSignal,
): AsyncGenerator<DeliveredRollout> {
  const { rolloutsStream: stream, run } = context.names;
  const doing = `take rollouts of run ${run}`;
  const queue = { stream, consumer: 'feeder', ackWait, batch, doing, what: 'the rollouts' };
  for await (const { document, bytes, ack } of takeFromQueue(context, queue, signal)) {
    yield { document, ack, ...decoded(bytes, document) };
  }
}

function decoded(
  bytes: Uint8Array,
  document: number,
): { readonly rollout: Document } | { readonly rollout: undefined; readonly malformed: string } {
  try {
    return { rollout: documentFromBytes(bytes, document) };
  } catch (error) {
    if (!(error instanceof FuseMeshError)) throw error;
    return { rollout: undefined, malformed: error.message };
  }
}
