import { AckPolicy, DeliverPolicy, type JsMsg, nanos } from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { isUnanswered, natsFailure, refusalOf } from './failure.ts';
import { fetchMessages } from './fetch-messages.ts';
import type { RunContext } from './names.ts';
import { wholeBytes } from './parts.ts';
import { untilAnswered } from './until-answered.ts';

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
export async function* takeFromQueue(
  context: RunContext,
  queue: Queue,
  signal: AbortSignal,
): AsyncGenerator<QueuedMessage> {
  const { connection, names } = context;
  const { stream, consumer, batch, doing } = queue;
  while (!signal.aborted) {
    try {
      await untilAnswered(connection, doing, signal, () => ensureConsumer(context, queue));
      for await (const message of fetchMessages(context, { stream, consumer, batch, doing }, signal)) {
        const bytes = await wholeBytes(context, names.partsStream, message, signal);
        if (bytes !== undefined) yield queued(context, message, bytes, doing);
        // Its parts are lost: then it is, and whoever waits for it asks anew.
        else if (!signal.aborted) await acknowledge(context, message, doing);
      }
    } catch (error) {
      if (!isGone(error) || !(await context.restore())) throw natsFailure(error, doing, connection.url);
    }
  }
}

function queued(context: RunContext, message: JsMsg, bytes: Uint8Array, doing: string): QueuedMessage {
  return {
    document: Number(message.subject.slice(message.subject.lastIndexOf('.') + 1)),
    bytes,
    working: () => message.working(),
    ack: () => acknowledge(context, message, doing),
    giveBack: (after) => message.nak(after),
  };
}

async function acknowledge({ connection }: RunContext, message: JsMsg, doing: string): Promise<void> {
  try {
    await message.ackAck();
  } catch (error) {
    if (!isUnanswered(error)) throw natsFailure(error, `${doing} (acknowledge)`, connection.url);
  }
}

function isGone(error: unknown): boolean {
  const refusal = refusalOf(error instanceof FuseMeshError ? error.cause : error);
  return refusal === 'consumer missing' || refusal === 'stream missing';
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
