import { createHash } from 'node:crypto';
import { headers, type MsgHdrs } from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { deadLettersSubject, type RunContext } from './names.ts';
import { publishWhole } from './parts.ts';

/** Source of the dead letters that are documents. */
export const feederSource = 'feeder';

/** A message that its reader cannot use. */
export interface DeadLetter {
  /** Which of the run's streams it came from. */
  readonly stream: 'documents' | 'distributions';
  /** The teacher that it came from; for documents, {@link feederSource}. */
  readonly source: string;
  /** Its position in that stream. */
  readonly position: number;
  /** As they came. */
  readonly bytes: Uint8Array;
  /** Why it cannot be used. */
  readonly reason: string;
}

/** Headers of a dead letter; the body is the message as it came. */
export const deadLetterHeaders = {
  reason: 'Fusemesh-Reason',
  source: 'Fusemesh-Source',
  /** Name of the stream that the message came from, and its sequence there. */
  stream: 'Fusemesh-Stream',
  position: 'Fusemesh-Position',
} as const;

const longestReason = 1_000;
/** How long a message that cannot be used may delay those behind it, in milliseconds. */
const storeWithin = 10_000;

/**
 * Puts a message aside in the run's stream of dead letters. The same message at the same position is stored once,
 * however often it is read within a day.
 *
 * @throws FuseMeshError cancelled when aborted while there is no answer
 */
export async function storeDeadLetter(
  context: RunContext,
  letter: DeadLetter,
  signal: AbortSignal,
): Promise<void> {
  const { stream, source, position, bytes } = letter;
  const of = stream === 'documents' ? 'the documents' : `teacher ${source}`;
  const content = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const { deadLettersStream, letterPartsSubject } = context.names;
  await publishWhole(
    context,
    {
      subject: deadLettersSubject(context.names, source),
      bytes,
      once: { msgID: `${stream}/${source}/${position}/${content}` },
      headers: headersOf(context, letter),
      doing: `put aside message ${position} of ${of}`,
    },
    { stream: deadLettersStream, subject: letterPartsSubject },
    { signal },
  );
}

/**
 * {@link storeDeadLetter} for readers that must continue whether it succeeds or not.
 *
 * @returns the error; undefined where the server has stored it
 */
export async function putAside(context: RunContext, letter: DeadLetter): Promise<FuseMeshError | undefined> {
  try {
    await storeDeadLetter(context, letter, AbortSignal.timeout(storeWithin));
    return undefined;
  } catch (error) {
    if (error instanceof FuseMeshError) return error;
    throw error;
  }
}

function headersOf({ names }: RunContext, { stream, source, position, reason }: DeadLetter): MsgHdrs {
  const all = headers();
  all.set(deadLetterHeaders.reason, oneLine(reason));
  all.set(deadLetterHeaders.source, source);
  all.set(
    deadLetterHeaders.stream,
    stream === 'documents' ? names.documentsStream : names.distributionsStream,
  );
  all.set(deadLetterHeaders.position, String(position));
  return all;
}

/** A reason may quote the message: no control character of it must reach a terminal. */
const oneLine = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/\p{Cc}/gu, '?')
    .trim()
    .slice(0, longestReason);
