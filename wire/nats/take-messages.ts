import type { JsMsg } from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { isUnanswered, natsFailure, refusalOf } from './failure.ts';
import { type FetchFrom, fetchMessages } from './fetch-messages.ts';
import type { RunContext } from './names.ts';
import { wholeBytes } from './parts.ts';
import { untilAnswered } from './until-answered.ts';

/** Where messages are taken from of which each goes to one of several takers. */
export interface TakeFrom<Taken> extends Omit<FetchFrom, 'goOn'> {
  /** What the messages are, for an error message: "the documents". */
  readonly what: string;
  /** Makes the consumer where there is none. */
  readonly ensure: () => Promise<void>;
  /** Reads a message and all its parts; undefined for one that is of no use and dealt with. */
  readonly read: (message: JsMsg, bytes: Uint8Array) => Promise<Taken | undefined>;
}

/** What comes, until aborted. A stream that is lost is made again, and its consumer begins with its first message. */
export async function* takeMessages<Taken>(
  context: RunContext,
  { what, ensure, read, ...from }: TakeFrom<Taken>,
  signal: AbortSignal,
): AsyncGenerator<Taken> {
  const { connection, names } = context;
  while (!signal.aborted) {
    try {
      await untilAnswered(connection, from.doing, signal, ensure);
      for await (const message of fetchMessages(context, from, signal)) {
        const bytes = await wholeBytes(context, names.partsStream, message, signal);
        if (bytes === undefined) {
          // Its parts are covered by a checkpoint, or lost: whoever needs it asks for it.
          if (!signal.aborted) await acknowledge(context, message, what);
          continue;
        }
        const taken = await read(message, bytes);
        if (taken !== undefined) yield taken;
      }
    } catch (error) {
      if (!isGone(error) || !(await context.restore())) throw natsFailure(error, from.doing, connection.url);
    }
  }
}

/** Returns when the server has confirmed; one that is away may deliver the message again all the same. */
export async function acknowledge(
  { connection }: Pick<RunContext, 'connection'>,
  message: JsMsg,
  what: string,
): Promise<void> {
  try {
    await message.ackAck();
  } catch (error) {
    if (isUnanswered(error)) return;
    throw natsFailure(error, `acknowledge message ${message.seq} of ${what}`, connection.url);
  }
}

function isGone(error: unknown): boolean {
  const refusal = refusalOf(error instanceof FuseMeshError ? error.cause : error);
  return refusal === 'consumer missing' || refusal === 'stream missing';
}
