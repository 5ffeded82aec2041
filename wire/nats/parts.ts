import { createHash } from 'node:crypto';
import { headers, type MsgHdrs } from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { isUnanswered, refusalOf } from './failure.ts';
import type { RunContext } from './names.ts';
import {
  type Publication,
  type PublishOptions,
  type PublishOutcome,
  publishStored,
} from './publish-stored.ts';
import { untilAnswered } from './until-answered.ts';

/** Header of a message whose bytes are stored as parts: their SHA-256, how many they are, and where the parts stand. */
export const partsHeader = 'Fusemesh-Parts';
/** A larger message would make the buffers of all who read beside it large, whatever the server takes. */
const mostBytes = 1024 * 1024;
/** For subject and headers. */
const roomBeside = 16 * 1024;
/** No reader puts together more. */
const mostWhole = 256 * 1024 * 1024;
/** Parts on their way at once. */
const atOnce = 4;

/** Where the parts of a message are stored. */
export interface PartsPlace {
  readonly stream: string;
  readonly subject: string;
}

/** What a message says of its parts. */
interface Pointer {
  readonly digest: string;
  readonly bytes: number;
  readonly positions: readonly number[];
}

/**
 * {@link publishStored} for messages of any size. What is too large for one message is stored in parts first, then the
 * message without its bytes: whoever reads it finds all of them, and what a publisher that died has left is never read.
 *
 * @param place where the parts go
 */
export async function publishWhole(
  context: RunContext,
  publication: Publication,
  place: PartsPlace,
  options: Omit<PublishOptions, 'traceparent'> & { readonly onWait?: () => void },
): Promise<PublishOutcome> {
  const own = publication.headers ?? headers();
  const bytes = await sentBeside(context, publication.bytes, place, own, options);
  if (bytes === publication.bytes) return publishStored(context, publication, options);
  return publishStored(context, { ...publication, bytes, headers: own }, options);
}

/**
 * Stores bytes that are too large for one message as parts, and says in the headers of the message where they are.
 *
 * @returns what the message itself is to hold
 * @throws FuseMeshError failed_precondition for more than 256 MiB
 */
export async function sentBeside(
  context: RunContext,
  bytes: Uint8Array,
  { subject }: PartsPlace,
  own: MsgHdrs,
  options: Omit<PublishOptions, 'traceparent'> & { readonly onWait?: () => void },
): Promise<Uint8Array> {
  const most = Math.min(context.connection.raw.info?.max_payload ?? mostBytes, mostBytes);
  if (bytes.length <= most - roomBeside) return bytes;
  if (bytes.length > mostWhole) {
    throw new FuseMeshError(
      'failed_precondition',
      `Cannot store ${subject}: it has ${bytes.length} bytes, and the most are ${mostWhole}: lower topK or contextLength.`,
    );
  }
  // As base64 of two thirds, a part fits into the answer of a server.
  const size = Math.floor((2 * most) / 3);
  const digest = createHash('sha256').update(bytes).digest('hex');
  const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => ({
    subject,
    bytes: bytes.subarray(i * size, (i + 1) * size),
    // Of the same bytes: replicas that score alike store them once.
    once: { msgID: `${subject}/${digest}/${i}` },
    doing: `store a part of ${subject}`,
  }));
  const positions: number[] = [];
  for (let begin = 0; begin < parts.length; begin += atOnce) {
    const sent = parts.slice(begin, begin + atOnce).map((part) => publishStored(context, part, options));
    for (const outcome of await Promise.all(sent)) {
      if (outcome !== 'wrong last sequence') positions.push(outcome.position);
    }
  }
  own.set(partsHeader, `${digest} ${bytes.length} ${positions.join(',')}`);
  return new Uint8Array();
}

/** A message as it is stored. */
export interface StoredMessage {
  readonly data: Uint8Array;
  readonly headers?: MsgHdrs | undefined;
}

/** How many bytes a message has, those of its parts counted; undefined for one without parts. */
export const bytesInParts = (headers: MsgHdrs | undefined): number | undefined => pointerOf(headers)?.bytes;

/**
 * The bytes of a message, put together from its parts where it has some.
 *
 * @param stream that its parts are in
 * @returns undefined where a part is gone, as those of what a checkpoint covers are; or when aborted
 */
export async function wholeBytes(
  { connection }: Pick<RunContext, 'connection'>,
  stream: string,
  { data, headers }: StoredMessage,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const pointer = pointerOf(headers);
  if (pointer === undefined) return data;
  const { streams } = connection.manager;
  const doing = `read a part of a message from ${stream}`;
  const readPart = (position: number) =>
    untilAnswered(connection, doing, signal, async () => {
      try {
        return (await streams.getMessage(stream, { seq: position })).data;
      } catch (error) {
        if (isUnanswered(error) || !['message missing', 'stream missing'].includes(refusalOf(error)))
          throw error;
        return undefined;
      }
    });
  const parts: Uint8Array[] = [];
  for (let begin = 0; begin < pointer.positions.length; begin += atOnce) {
    const read = await Promise.all(pointer.positions.slice(begin, begin + atOnce).map(readPart));
    for (const part of read) {
      if (part === undefined) return undefined;
      parts.push(part);
    }
  }
  const whole = Buffer.concat(parts);
  const digest = createHash('sha256').update(whole).digest('hex');
  return digest === pointer.digest ? whole : undefined;
}

/** Where the parts of a message stand; none for one without. */
export const positionsOfParts = (headers: MsgHdrs | undefined): readonly number[] =>
  pointerOf(headers)?.positions ?? [];

function pointerOf(headers: MsgHdrs | undefined): Pointer | undefined {
  const found = /^([0-9a-f]{64}) (\d{1,10}) (\d+(?:,\d+)*)$/.exec(headers?.get(partsHeader) ?? '');
  if (found === null || Number(found[2]) > mostWhole) return undefined;
  return { digest: found[1], bytes: Number(found[2]), positions: found[3].split(',').map(Number) };
}
