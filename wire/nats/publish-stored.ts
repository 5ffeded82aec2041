import { ErrorCode, type JetStreamPublishOptions, type MsgHdrs, type NatsError } from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { sleepUnlessAborted } from '../../process/lifecycle/repeat.ts';
import { isUnanswered, natsFailure, type Refusal, refusalOf } from './failure.ts';
import type { RunContext } from './names.ts';

/** A message to be published. */
export interface Publication {
  readonly subject: string;
  readonly bytes: Uint8Array;
  /** Makes the server store it at most once, however often it is sent. */
  readonly once: Pick<JetStreamPublishOptions, 'msgID'> | Pick<JetStreamPublishOptions, 'expect'>;
  readonly headers?: MsgHdrs | undefined;
  /** What is done, for an error message: "publish document 7". */
  readonly doing: string;
}

/** How a message is published. */
export interface PublishOptions {
  readonly signal: AbortSignal;
  /** Its place in a trace (W3C trace context); left out, it belongs to none. */
  readonly traceparent?: string | undefined;
  /**
   * The publication before this one, where several are under way at once: messages that were refused or not answered
   * are then sent again in order.
   */
  readonly before?: Promise<unknown> | undefined;
}

/** Where a message is stored, this one or an earlier one of the same id; or that it does not follow the last. */
export type PublishOutcome = { readonly position: number } | Extract<Refusal, 'wrong last sequence'>;

/** Pauses between tries, in milliseconds: a full stream is tried again soon at first, then less often. */
const firstPause = 10;
const longestPause = 250;

/**
 * Publishes a message and returns when the server has stored it: waits while the stream is full, and tries again while
 * the server does not answer.
 *
 * @param onWait called once, when the stream is found full
 * @returns the server's answer: where it is stored, or refused because the last sequence is not the expected one
 * @throws FuseMeshError cancelled when aborted while waiting
 */
export async function publishStored(
  context: RunContext,
  { subject, bytes, once, headers, doing }: Publication,
  { signal, before, onWait }: Omit<PublishOptions, 'traceparent'> & { readonly onWait?: () => void },
): Promise<PublishOutcome> {
  const { connection } = context;
  refuseTooLarge(bytes, connection.raw.info?.max_payload, doing, connection.url);
  const options = { ...once, ...(headers && { headers }) };
  let waiting = false;
  for (let pause = firstPause; ; pause = Math.min(2 * pause, longestPause)) {
    if (signal.aborted) throw new FuseMeshError('cancelled', `Stopped before it could ${doing}.`);
    try {
      const { seq } = await connection.jetStream.publish(subject, bytes, options);
      connection.unanswered.over();
      return { position: seq };
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === 'wrong last sequence') return refusal;
      if (refusal === 'stream full') {
        if (!waiting) onWait?.();
        waiting = true;
      } else {
        if (!isUnanswered(error)) throw natsFailure(error, doing, connection.url);
        if ((error as NatsError).code === ErrorCode.Timeout) {
          connection.unanswered.happened();
        }
        await restoreStream(context, subject, doing);
      }
    }
    await before?.catch(() => {});
    await sleepUnlessAborted(pause, signal);
  }
}

/** Where no stream has the subject, nobody would ever answer: the streams are made again. */
async function restoreStream(
  { connection: { manager, url }, restore }: RunContext,
  subject: string,
  doing: string,
): Promise<void> {
  try {
    await manager.streams.find(subject);
  } catch (error) {
    if (isUnanswered(error) || (await restore())) return;
    throw new FuseMeshError(
      'not_found',
      `Cannot ${doing}: the run's streams are not on ${url} (any more): begin the run again.`,
      { cause: error },
    );
  }
}

function refuseTooLarge(bytes: Uint8Array, most: number | undefined, doing: string, url: string): void {
  if (most === undefined || bytes.length <= most) return;
  throw new FuseMeshError(
    'failed_precondition',
    `Cannot ${doing}: it has ${bytes.length} bytes and the NATS server at ${url} takes ${most}: raise its max_payload, or lower topK or contextLength.`,
  );
}
