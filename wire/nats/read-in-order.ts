import { AckPolicy, DeliverPolicy, nanos } from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { refusalOf } from './failure.ts';
import { type FetchFrom, fetchMessages } from './fetch-messages.ts';
import type { RunContext } from './names.ts';
import { wholeBytes } from './parts.ts';
import { lifeOf, type StreamPosition } from './stream-settings.ts';
import { traceparentOf } from './traceparent.ts';
import { untilAnswered } from './until-answered.ts';

/** One subject of a stream, read after a position; without one, from the beginning. */
export interface OrderedSource {
  readonly stream: string;
  readonly subject: string;
  readonly after: StreamPosition | undefined;
}

/** A message and its position; within one life of the stream, positions rise from message to message. */
export interface PositionedMessage extends StreamPosition {
  readonly bytes: Uint8Array;
  /** Its place in a trace; undefined where it belongs to none. */
  traceparent(): string | undefined;
}

const batch = 64;
/** The server removes a reader that has been away this long, in nanoseconds. */
const forgottenAfter = nanos(300_000);

/**
 * A subject's messages in the order of the stream, each once, waiting for new ones; ends when aborted.
 * If a message is lost on the way or the server has removed the reader, reading continues after the last message that
 * arrived. A stream that is gone is made again; one that was made anew is read from its beginning, and one that lost
 * its last messages from where it ends.
 */
export async function* readInOrder(
  context: RunContext,
  { stream, subject, after }: OrderedSource,
  signal: AbortSignal,
): AsyncGenerator<PositionedMessage> {
  let last = after;
  while (!signal.aborted) {
    const reader = await addReader(context, { stream, subject, after: last }, signal);
    if (reader === undefined) return;
    const { consumer, life } = reader;
    let received = 0;
    const source: FetchFrom = {
      stream,
      consumer,
      batch,
      doing: `read ${subject}`,
      // The client drops messages that arrive just after its request timed out; at the end of a stream, no gap shows
      // it.
      goOn: ({ delivered }) => delivered.consumer_seq === received,
    };
    try {
      for await (const message of fetchMessages(context, source, signal)) {
        if (message.info.deliverySequence !== received + 1) break;
        received++;
        last = { position: message.seq, life };
        const bytes = await wholeBytes(context, context.names.partsStream, message, signal);
        // Without its parts it counts as lost, and is healed as such.
        if (bytes !== undefined) yield { bytes, ...last, traceparent: () => traceparentOf(message) };
      }
    } catch (error) {
      if (!isGone(error)) throw error;
    } finally {
      // Not awaited: the server would remove the reader anyway.
      void context.connection.manager.consumers.delete(stream, consumer).catch(() => {});
    }
  }
}

const isGone = (error: unknown): boolean =>
  error instanceof FuseMeshError && ['consumer missing', 'stream missing'].includes(refusalOf(error.cause));

function addReader(
  { connection, restore }: RunContext,
  { stream, subject, after }: OrderedSource,
  signal: AbortSignal,
): Promise<{ consumer: string; life: string } | undefined> {
  const { consumers, streams } = connection.manager;
  const add = async () => {
    const info = await streams.info(stream);
    const life = lifeOf(info);
    const read = after?.life === life ? Math.min(after.position, info.state.last_seq) : 0;
    const { name } = await consumers.add(stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: read + 1,
      filter_subject: subject,
      inactive_threshold: forgottenAfter,
      // In as many servers as the stream: one that is lost takes no reader with it.
      mem_storage: true,
    });
    return { consumer: name, life };
  };
  return untilAnswered(connection, `read ${subject}`, signal, async () => {
    try {
      return await add();
    } catch (error) {
      if (refusalOf(error) !== 'stream missing' || !(await restore())) throw error;
      return await add();
    }
  });
}
