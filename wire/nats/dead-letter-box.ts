import { AckPolicy, type JsMsg, type MsgHdrs, type StoredMsg } from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { NatsConnection } from './connection.ts';
import { deadLetterHeaders } from './dead-letters.ts';
import { natsFailure, refusalOf } from './failure.ts';
import { fetchMessages } from './fetch-messages.ts';
import { distributionsSubject, partsPlace, type RunContext, runNames } from './names.ts';
import { bytesInParts, positionsOfParts, publishWhole, wholeBytes } from './parts.ts';

/** A dead letter in the run's stream of them, without its bytes. */
export interface StoredDeadLetter {
  /** 1, 2, 3, … in the order in which letters were put aside. */
  readonly number: number;
  readonly time: Date;
  /** The teacher that it came from, or "feeder". */
  readonly source: string;
  /** The stream that it came from. */
  readonly stream: string;
  /** Its sequence there. */
  readonly position: number;
  readonly reason: string;
  readonly bytes: number;
}

/** The dead letters of one run. Where there is no such run, there are none. */
export interface DeadLetterBox {
  /** Oldest first; letters that arrive meanwhile may be included. */
  list(signal: AbortSignal): Promise<StoredDeadLetter[]>;
  /**
   * Publishes a letter again where it came from, and removes it when the server has stored it there.
   *
   * @throws FuseMeshError not_found where there is none of that number, failed_precondition where it is a document,
   *   resource_exhausted where the stream is full, cancelled when aborted
   */
  replay(number: number, signal: AbortSignal): Promise<void>;
  /** @throws FuseMeshError not_found where there is none of that number */
  remove(number: number): Promise<void>;
}

const batch = 256;
const replayWithin = 10_000;

/** @param run name of the run */
export function openDeadLetterBox(connection: NatsConnection, run: string): DeadLetterBox {
  const context: RunContext = { connection, names: runNames(run), restore: async () => false };
  return {
    list: (signal) => listLetters(context, signal),
    replay: (number, signal) => replayLetter(context, number, signal),
    remove: (number) => removeLetter(context, number),
  };
}

async function listLetters(context: RunContext, signal: AbortSignal): Promise<StoredDeadLetter[]> {
  const { connection, names } = context;
  const stream = names.deadLettersStream;
  const { consumers } = connection.manager;
  const letters: StoredDeadLetter[] = [];
  try {
    const { name, num_pending } = await consumers.add(stream, {
      ack_policy: AckPolicy.None,
      filter_subject: `${names.deadLettersPrefix}*`,
      headers_only: true,
      mem_storage: true,
      num_replicas: 1,
    });
    if (num_pending === 0) return letters;
    const source = { stream, consumer: name, batch, doing: `read the dead letters of run ${names.run}` };
    for await (const message of fetchMessages(context, source, signal)) {
      letters.push(letterOf(message));
      if (message.info.pending === 0) break;
    }
    await consumers.delete(stream, name).catch(() => {});
    return letters;
  } catch (error) {
    if (refusalOf(error) === 'stream missing') return letters;
    throw natsFailure(error, `read the dead letters of run ${names.run}`, connection.url);
  }
}

function letterOf({ seq, headers, info }: JsMsg): StoredDeadLetter {
  const value = (name: string) => headers?.get(name) ?? '';
  return {
    number: seq,
    time: new Date(Math.floor(info.timestampNanos / 1e6)),
    source: value(deadLetterHeaders.source),
    stream: value(deadLetterHeaders.stream),
    position: Number(value(deadLetterHeaders.position)),
    reason: value(deadLetterHeaders.reason),
    bytes: bytesInParts(headers) ?? Number(value('Nats-Msg-Size')),
  };
}

async function replayLetter(context: RunContext, number: number, signal: AbortSignal): Promise<void> {
  const { names } = context;
  const { data, header, time } = await storedLetter(context, number);
  const bytes = await wholeBytes(context, names.deadLettersStream, { data, headers: header }, signal);
  if (bytes === undefined) {
    throw new FuseMeshError(
      'data_loss',
      `Dead letter ${number} has lost parts, as older ones do: remove it.`,
    );
  }
  const timeout = AbortSignal.timeout(replayWithin);
  const doing = `publish dead letter ${number} again`;
  try {
    await publishWhole(
      context,
      {
        subject: subjectOf(context, number, header),
        bytes,
        // Keeps out a second copy after a lost answer. A letter that comes back has another number.
        once: { msgID: `again/${context.names.deadLettersStream}/${number}/${time.getTime()}` },
        doing,
      },
      partsPlace(names, 'again', header.get(deadLetterHeaders.source)),
      { signal: AbortSignal.any([signal, timeout]) },
    );
  } catch (error) {
    if (signal.aborted || !timeout.aborted) throw error;
    throw new FuseMeshError(
      'resource_exhausted',
      `Cannot ${doing}: its stream is full, or NATS does not answer: try again when the trainer has gone on.`,
      { cause: error },
    );
  }
  await removeLetter(context, number);
}

/** The subject that a letter came from. */
function subjectOf({ names }: RunContext, number: number, header: MsgHdrs): string {
  const stream = header.get(deadLetterHeaders.stream);
  if (stream === names.distributionsStream) {
    return distributionsSubject(names, header.get(deadLetterHeaders.source));
  }
  throw new FuseMeshError(
    'failed_precondition',
    `Dead letter ${number} is a document: the run has passed over its place, and published again it would take that of another. Remove the letter, and feed the text in another run.`,
  );
}

async function storedLetter(
  { connection, names }: Pick<RunContext, 'connection' | 'names'>,
  number: number,
): Promise<StoredMsg> {
  try {
    return await connection.manager.streams.getMessage(names.deadLettersStream, { seq: number });
  } catch (error) {
    throw letterFailure(error, names.run, number, connection.url);
  }
}

async function removeLetter({ connection, names }: RunContext, number: number): Promise<void> {
  // Server versions differ in what they answer when the message to delete is missing.
  const { header } = await storedLetter({ connection, names }, number);
  const { streams } = connection.manager;
  try {
    await streams.deleteMessage(names.deadLettersStream, number, false);
    for (const part of positionsOfParts(header)) {
      await streams.deleteMessage(names.deadLettersStream, part, false).catch(() => {});
    }
  } catch (error) {
    throw letterFailure(error, names.run, number, connection.url);
  }
}

function letterFailure(error: unknown, run: string, number: number, url: string): FuseMeshError {
  const refusal = refusalOf(error);
  if (refusal !== 'message missing' && refusal !== 'stream missing') {
    return natsFailure(error, `look at dead letter ${number} of run ${run}`, url);
  }
  const message = `Run ${run} has no dead letter ${number}: \`fusemesh dead-letters\` without options lists them.`;
  return new FuseMeshError('not_found', message, { cause: error });
}
