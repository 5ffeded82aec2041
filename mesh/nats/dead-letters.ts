import { createHash } from 'node:crypto';
import { headers, type MsgHdrs } from 'nats';
import { deadLettersSubject, type RunContext } from './names.ts';
import { publishStored } from './publish-stored.ts';

/** A message that its reader cannot use. */
export interface DeadLetter {
  /** The teacher that it came from. */
  readonly source: string;
  /** In the stream of distributions. */
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

/**
 * Puts a message aside in the run's stream of dead letters. The same message at the same place is there once,
 * however often its reader comes by within a day.
 *
 * @throws FuseMeshError cancelled when aborted while there is no answer
 */
export async function storeDeadLetter(
  context: RunContext,
  letter: DeadLetter,
  signal: AbortSignal,
): Promise<void> {
  const { source, position, bytes } = letter;
  const content = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  await publishStored(
    context,
    {
      subject: deadLettersSubject(context.names, source),
      bytes,
      once: { msgID: `${source}/${position}/${content}` },
      headers: headersOf(context, letter),
      doing: `put aside message ${position} of teacher ${source}`,
    },
    { signal },
  );
}

function headersOf({ names }: RunContext, { source, position, reason }: DeadLetter): MsgHdrs {
  const all = headers();
  all.set(deadLetterHeaders.reason, oneLine(reason));
  all.set(deadLetterHeaders.source, source);
  all.set(deadLetterHeaders.stream, names.distributionsStream);
  all.set(deadLetterHeaders.position, String(position));
  return all;
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, longestReason);
