import type { NatsConnection } from './connection.ts';
import { natsFailure } from './failure.ts';

/** What a NATS server and the account of a connection allow; undefined is no limit. */
export interface ServerLimits {
  /** Bytes of the largest message. */
  readonly maxPayload: number | undefined;
  /** Bytes that the account may still store, over all servers of a cluster. */
  readonly storage: number | undefined;
  /** Streams that it may still make. */
  readonly streams: number | undefined;
  /** Bytes that one stream may hold at most. */
  readonly streamBytes: number | undefined;
  /** Every stream must say how much it holds, which those of a run do not. */
  readonly bytesAreRequired: boolean;
}

/**
 * @param replicas servers that hold each stream: accounts may have a limit for each number of them
 * @throws FuseMeshError unavailable where NATS does not answer
 */
export async function serverLimits(
  { raw, manager, url }: NatsConnection,
  replicas: number,
): Promise<ServerLimits> {
  try {
    const account = await manager.getAccountInfo();
    const tier = replicas === 3 ? account.tiers?.R3 : account.tiers?.R1;
    const { limits, storage, streams } = tier ?? account;
    const left = (most: number, used: number) => (most < 0 ? undefined : Math.max(0, most - used));
    return {
      maxPayload: raw.info?.max_payload,
      storage: left(limits.max_storage, storage),
      streams: left(limits.max_streams, streams),
      streamBytes: limits.storage_max_stream_bytes > 0 ? limits.storage_max_stream_bytes : undefined,
      bytesAreRequired: Boolean(limits.max_bytes_required),
    };
  } catch (error) {
    throw natsFailure(error, 'ask what its account may do', url);
  }
}
