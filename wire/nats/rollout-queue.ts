import { AckPolicy, DeliverPolicy, type JsMsg, nanos } from 'nats';
import { refusalOf } from './failure.ts';
import type { RunContext } from './names.ts';
import { acknowledge, takeMessages } from './take-messages.ts';

/** A stream of which each message goes to one taker, and is gone when it has acknowledged it. */
export interface Queue {
  readonly stream: string;
  /** The consumer that all takers share. */
  readonly consumer: string;
  /** Milliseconds after which a message goes to another taker, where its first one has not shown itself. */
  readonly ackWait: number;
  /** Messages fetched at a time; one that waits for its turn in this process may go to another meanwhile. */
  readonly batch: number;
  /** For an error message: "take rollouts of run demo". */
  readonly doing: string;
  /** What the messages are, for another: "the rollouts". */
  readonly what: string;
}

/** A message in hand. */
export interface QueuedMessage {
  /** Number of the document that it is about, as its subject says. */
  readonly document: number;
  readonly bytes: Uint8Array;
  /** Shows that it is worked on. */
  working(): void;
  /** Takes it out of the queue; a server that is away may deliver it again all the same. */
  ack(): Promise<void>;
  /** Another taker, or this one, gets it after so many milliseconds. */
  giveBack(after?: number): void;
}

/** All takers together have no more in hand. */
const mostInHand = 8_192;

/** What comes through a queue, until aborted. A stream that is lost is made again. */
export const takeFromQueue = (
  context: RunContext,
  queue: Queue,
  signal: AbortSignal,
): AsyncGenerator<QueuedMessage> =>
  takeMessages(
    context,
    {
      ...queue,
      ensure: () => ensureConsumer(context, queue),
      read: async (message, bytes) => queued(context, message, bytes, queue.what),
    },
    signal,
  );

function queued(context: RunContext, message: JsMsg, bytes: Uint8Array, what: string): QueuedMessage {
  return {
    document: Number(message.subject.slice(message.subject.lastIndexOf('.') + 1)),
    bytes,
    working: () => message.working(),
    ack: () => acknowledge(context, message, what),
    giveBack: (after) => message.nak(after),
  };
}

async function ensureConsumer(
  { connection }: RunContext,
  { stream, consumer, ackWait }: Queue,
): Promise<void> {
  const { consumers } = connection.manager;
  const found = await consumers.info(stream, consumer).catch((error: unknown) => {
    if (refusalOf(error) !== 'consumer missing') throw error;
    return undefined;
  });
  if (found !== undefined) return;
  await consumers.add(stream, {
    durable_name: consumer,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    max_ack_pending: mostInHand,
    ack_wait: nanos(ackWait),
  });
}
