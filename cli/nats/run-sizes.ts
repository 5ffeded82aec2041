import { sourcesOf } from '../../process/config/run-sources.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { bytesOfToken } from '../../wire/codec/bytes-of-token.ts';
import type { NatsConnection } from '../../wire/nats/connection.ts';
import { runOnNats } from '../../wire/nats/list-runs.ts';
import { type ServerLimits, serverLimits } from '../../wire/nats/server-limits.ts';
import { byteSize } from '../view/words.ts';

/** The largest vocabulary of a teacher: run files do not say how large theirs are. */
const mostTokens = 262_144;
/** Of a token's text, generously. */
const bytesOfText = 8;
const deadLetterBytes = 128 * 2 ** 20;
/** Documents, distributions, parts, dead letters; with onPolicy prompts and rollouts, with a target service weights. */
const streamsOfRun = 4;
/** The largest distribution that is sent, in parts of what a message may hold; and the least that a message must hold. */
const mostDistribution = 256 * 2 ** 20;
const leastPayload = 32 * 1024;
/** What a nats-server takes of a disk that is told no max_file_store. */
const shareOfDisk = 0.75;

type Sized = Pick<RunConfig, 'nats' | 'contextLength' | 'topK' | 'teachers' | 'target' | 'onPolicy'>;

/** The most that a run holds at NATS, when every document is as long as it may be. */
export interface RunSizes {
  /** Bytes of one source's distribution of one document. */
  readonly distribution: number;
  /** Bytes of all streams, in all servers that hold them. */
  readonly total: number;
  readonly streams: number;
}

export function sizesOf(config: Sized): RunSizes {
  const { contextLength, topK, nats, onPolicy, target } = config;
  const { maxDocuments, maxDistributions, replicas } = nats;
  const distribution = Math.ceil(contextLength * bytesOfToken(topK, mostTokens));
  const documents = maxDocuments * contextLength * bytesOfText;
  const distributions = sourcesOf(config).length * (maxDistributions + 1) * distribution;
  return {
    distribution,
    total: replicas * (documents + distributions + deadLetterBytes),
    streams: streamsOfRun + (onPolicy ? 2 : 0) + (target.service ? 1 : 0),
  };
}

const lowerThem = ({ nats: { maxDocuments, maxDistributions } }: Sized): string =>
  `lower nats.maxDocuments (${maxDocuments}) and nats.maxDistributions (${maxDistributions}), topK or contextLength`;

/** What does not fit into what a server and an account allow, each in one sentence that says what to do. */
export function tooLarge(config: Sized, limits: ServerLimits): string[] {
  const { contextLength, topK } = config;
  const { maxPayload, storage, streamBytes } = limits;
  const { distribution, total, streams } = sizesOf(config);
  const said: string[] = [];
  if (distribution > mostDistribution) {
    said.push(
      `what a teacher says of a document of ${contextLength} tokens takes ${byteSize(distribution)}, and ${byteSize(mostDistribution)} are the most: lower topK (${topK}) or contextLength`,
    );
  }
  if (maxPayload !== undefined && maxPayload < leastPayload) {
    said.push(`the NATS server's max_payload is ${maxPayload} bytes: raise it to ${leastPayload} at least`);
  }
  if (storage !== undefined && total > storage) {
    said.push(
      `the run's streams take up to ${byteSize(total)}, and the NATS account may store ${byteSize(storage)} more: raise its max_file, or ${lowerThem(config)}`,
    );
  }
  if (limits.streams !== undefined && streams > limits.streams) {
    said.push(
      `the run makes ${streams} streams, and the NATS account may have ${limits.streams} more: raise its max_streams, or remove runs that are over (\`fusemesh runs\`)`,
    );
  }
  if (streamBytes !== undefined && streamBytes < deadLetterBytes) {
    said.push(
      `the NATS account's max_stream_bytes is ${byteSize(streamBytes)}: raise it to ${byteSize(deadLetterBytes)}, which dead letters reserve`,
    );
  }
  if (limits.bytesAreRequired) {
    said.push('the NATS account demands max_bytes of every stream: set its max_bytes to false');
  }
  return said;
}

/** {@link tooLarge} of a run at a server; what it holds of the run already is taken to be the run's. */
export async function tooLargeFor(
  connection: NatsConnection,
  config: Sized & Pick<RunConfig, 'run'>,
): Promise<string[]> {
  const limits = await serverLimits(connection, config.nats.replicas);
  const there = await runOnNats(connection, config.run);
  const { storage } = limits;
  if (there === undefined) return tooLarge(config, limits);
  return tooLarge(config, { ...limits, streams: undefined, storage: storage && storage + there.bytes });
}

/** Whether they fit on the disk of the server that `fusemesh up` starts, and what to do where they do not. */
export function storeOnDisk(
  config: Sized,
  { free, path }: { readonly free: number; readonly path: string },
): { readonly fits: boolean; readonly text: string } {
  const { total } = sizesOf(config);
  const most = Math.floor(shareOfDisk * free);
  const fits = total <= most;
  const text = `the run's streams take up to ${byteSize(total)}, and nats-server takes ${byteSize(most)} at most, three quarters of what is free at ${path}`;
  return { fits, text: fits ? text : `${text}: make room there, or ${lowerThem(config)}` };
}
