import { AckPolicy, DeliverPolicy, nanos } from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { refusalOf } from './failure.ts';
import { type FetchFrom, fetchOnAndOn } from './fetch.ts';
import type { RunContext } from './names.ts';
import { traceparentOf } from './traceparent.ts';
import { untilAnswered } from './until-answered.ts';

/** One subject of a stream, from a position on. */
export interface OrderedSource {
  readonly stream: string;
  readonly subject: string;
  readonly fromPosition: number;
}

/** A message and its sequence in the stream, which rises from message to message. */
export interface PositionedMessage {
  readonly bytes: Uint8Array;
  readonly position: number;
  /** Where it belongs in a trace; undefined where it belongs to none. */
  traceparent(): string | undefined;
}

const batch = 64;
/** The server forgets a reader that has been away this long, in nanoseconds. */
const forgottenAfter = nanos(300_000);

/**
 * A subject's messages in the order of the stream, each once, waiting for those to come; ends when aborted.
 * A message lost on the way, or a reader that the server forgot, only makes it begin again after the last
 * message that came.
 */
export async function* readInOrder(
  context: RunContext,
  { stream, subject, fromPosition }: OrderedSource,
  signal: AbortSignal,
): AsyncGenerator<PositionedMessage> {
  let next = Math.max(1, fromPosition);
  while (!signal.aborted) {
    const consumer = await addReader(context, { stream, subject, fromPosition: next }, signal);
    if (consumer === undefined) return;
    let received = 0;
    const source: FetchFrom = {
      stream,
      consumer,
      batch,
      doing: `read ${subject}`,
      // The client drops what comes just after it gave a request up; at the end of a stream no gap shows that.
      goOn: ({ delivered }) => delivered.consumer_seq === received,
    };
    try {
      for await (const message of fetchOnAndOn(context, source, signal)) {
        if (message.info.deliverySequence !== received + 1) break;
        received++;
        next = message.seq + 1;
        yield {
          bytes: message.data,
          position: message.seq,
          traceparent: () => traceparentOf(message),
        };
      }
    } catch (error) {
      if (!(error instanceof FuseMeshError) || refusalOf(error.cause) !== 'consumer missing') throw error;
    } finally {
      // Nobody waits for it: the server forgets the reader anyhow.
      void context.connection.manager.consumers.delete(stream, consumer).catch(() => {});
    }
  }
}

function addReader(
  { connection }: RunContext,
  { stream, subject, fromPosition }: OrderedSource,
  signal: AbortSignal,
): Promise<string | undefined> {
  return untilAnswered(connection, `read ${subject}`, signal, async () => {
    const { name } = await connection.manager.consumers.add(stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: fromPosition,
      filter_subject: subject,
      inactive_threshold: forgottenAfter,
      mem_storage: true,
      num_replicas: 1,
    });
    return name;
  });
}
