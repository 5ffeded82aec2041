import type { StreamStatus } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';

/**
 * How full a stream is, 0 to 1.
 *
 * @param sharers teachers, each with as much room as the stream's limit says
 */
export const fillOf = (
  { messages, mostMessages }: Pick<StreamStatus, 'messages' | 'mostMessages'>,
  sharers: number,
): number =>
  mostMessages > 0n && sharers > 0 ? Math.min(1, Number(messages) / (Number(mostMessages) * sharers)) : 0;

/** So full that the feeder waits now and again: what the stream holds is asked for now and then only. */
export const isFull = (documents: StreamStatus | undefined): boolean =>
  documents !== undefined && fillOf(documents, 1) > 0.97;
