import type { StreamStatus } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';

/**
 * How full a stream is, 0 to 1.
 *
 * @param sharers how many teachers share the stream; each has its limit to itself
 */
export const fillOf = (
  { messages, mostMessages }: Pick<StreamStatus, 'messages' | 'mostMessages'>,
  sharers: number,
): number =>
  mostMessages > 0n && sharers > 0 ? Math.min(1, Number(messages) / (Number(mostMessages) * sharers)) : 0;

/** Nearly full counts: the stream is looked at every few seconds only, and the feeder waits in between. */
export const isFull = (documents: StreamStatus | undefined): boolean =>
  documents !== undefined && fillOf(documents, 1) > 0.97;
