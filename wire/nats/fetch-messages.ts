import type { ConsumerInfo, ConsumerMessages, JsMsg } from 'nats';
import { isUnanswered, natsFailure, refusalOf } from './failure.ts';
import type { RunContext } from './names.ts';
import { untilAnswered } from './until-answered.ts';

/** Which consumer to fetch from, and how. */
export interface FetchFrom {
  readonly stream: string;
  readonly consumer: string;
  /** Messages fetched at a time; this process never holds more. */
  readonly batch: number;
  /** What is done, for an error message: "read documents". */
  readonly doing: string;
  /**
   * Whether to continue: called at the end of each request for messages with the server's state of the consumer. Left
   * out, reading always continues.
   */
  readonly goOn?: (consumer: ConsumerInfo) => boolean;
}

/** How long the server keeps one request for messages open, in milliseconds. */
const requestOpen = 10_000;

/**
 * A consumer's messages until aborted or `goOn` says no. Fetches a batch at a time, because the client library would
 * read ahead without bound. Where the consumer wants acknowledgements, messages that were fetched and not used go back
 * to the server at once.
 */
export async function* fetchMessages(
  { connection }: RunContext,
  { stream, consumer, batch, doing, goOn }: FetchFrom,
  signal: AbortSignal,
): AsyncGenerator<JsMsg> {
  let messages: ConsumerMessages | undefined;
  const stop = () => void messages?.close();
  signal.addEventListener('abort', stop);
  try {
    while (!signal.aborted) {
      const source = await untilAnswered(connection, doing, signal, () =>
        connection.jetStream.consumers.get(stream, consumer),
      );
      if (source === undefined) return;
      try {
        while (!signal.aborted) {
          messages = await source.fetch({ max_messages: batch, expires: requestOpen });
          if (signal.aborted) stop();
          for await (const message of messages) {
            if (signal.aborted) message.nak();
            else yield message;
          }
          if (goOn && !signal.aborted && !goOn(await source.info())) return;
        }
      } catch (error) {
        // If consumer or server is gone, the next request for the consumer says so.
        if (!signal.aborted && !isUnanswered(error) && refusalOf(error) === 'other') {
          throw natsFailure(error, doing, connection.url);
        }
      }
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
