import { DiscardPolicy, nanos, RetentionPolicy, StorageType, type StreamConfig } from 'nats';
import { natsFailure, refusalOf } from './failure.ts';
import type { RunContext } from './names.ts';
import { untilAnswered } from './until-answered.ts';

/** The most that the streams hold; publishers wait beyond it. */
export interface StreamLimits {
  /** Documents that no checkpoint covers yet. */
  readonly maxDocuments: number;
  /** Distributions of each teacher that no checkpoint covers yet. */
  readonly maxDistributions: number;
  /** Servers of a cluster that hold each stream; 1 where it is left out. */
  readonly replicas?: number;
}

/** How long the server recognises a message by its id. */
const duplicateWindow = nanos(120_000);
/** A trainer that comes back within a day reads again what it could not use, and puts it aside again. */
const deadLetterWindow = nanos(86_400_000);
/** Beyond it the oldest dead letters are dropped: they must never stop a run. */
const mostDeadLetters = 10_000;
const mostDeadLetterBytes = 128 * 1024 * 1024;
/** How long a server that is away is waited for, in milliseconds. */
const answerWithin = 30_000;

export async function ensureStreams(context: RunContext, limits: StreamLimits): Promise<void> {
  const { names } = context;
  const kept = {
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    storage: StorageType.File,
    num_replicas: limits.replicas ?? 1,
  };
  await ensureStream(context, {
    ...kept,
    name: names.documentsStream,
    subjects: [names.corpusSubject, names.documentsSubject],
    // Of documents; the manifest has a subject of its own, so there is always room for it.
    max_msgs: -1,
    max_msgs_per_subject: limits.maxDocuments,
    discard_new_per_subject: true,
    // Messages here have no id: the expected last sequence keeps duplicates out.
    duplicate_window: nanos(1_000),
  });
  await ensureStream(context, {
    ...kept,
    name: names.distributionsStream,
    subjects: [`${names.distributionsPrefix}*`],
    // One more, for a late copy of a covered document that stands last: it is removed only when another has come.
    max_msgs_per_subject: limits.maxDistributions + 1,
    discard_new_per_subject: true,
    duplicate_window: duplicateWindow,
  });
  await ensureStream(context, {
    ...kept,
    name: names.partsStream,
    subjects: [`${names.partsPrefix}>`],
    duplicate_window: duplicateWindow,
  });
  await ensureStream(context, {
    ...kept,
    discard: DiscardPolicy.Old,
    name: names.deadLettersStream,
    subjects: [`${names.deadLettersPrefix}*`, names.letterPartsSubject],
    max_msgs: mostDeadLetters,
    max_bytes: mostDeadLetterBytes,
    duplicate_window: deadLetterWindow,
  });
}

/** Makes a stream, or gives an existing one these settings; waits while the server is away. */
export async function ensureStream(
  { connection }: Pick<RunContext, 'connection'>,
  config: Partial<StreamConfig> & { name: string },
): Promise<void> {
  const { streams } = connection.manager;
  const doing = `make the stream ${config.name}`;
  const made = await untilAnswered(connection, doing, AbortSignal.timeout(answerWithin), async () => {
    const found = await streams.info(config.name).catch((error: unknown) => {
      if (refusalOf(error) === 'stream missing') return undefined;
      throw error;
    });
    // Adding a stream that another process has just added with the same settings changes nothing.
    if (found === undefined) await streams.add(config);
    else if (differs(found.config, config)) await streams.update(config.name, config);
    return true;
  });
  if (!made) throw natsFailure(new Error('no answer'), doing, connection.url);
}

function differs(found: StreamConfig, wanted: Partial<StreamConfig>): boolean {
  if (wanted.subjects?.some((subject) => !found.subjects.includes(subject))) return true;
  return (
    ['max_msgs', 'max_bytes', 'max_msgs_per_subject', 'duplicate_window', 'num_replicas'] as const
  ).some((setting) => wanted[setting] !== undefined && found[setting] !== wanted[setting]);
}

/** A position in one life of a stream: where it is lost and made anew, positions begin at 1 again. */
export interface StreamPosition {
  readonly position: number;
  /** Differs from life to life. */
  readonly life: string;
}

/** Which life of a stream this is. */
export const lifeOf = ({ created }: { readonly created: string | number }): string => String(created);

export async function removeStreams({ connection, names }: RunContext): Promise<void> {
  const streams = [
    names.documentsStream,
    names.distributionsStream,
    names.partsStream,
    names.deadLettersStream,
    names.promptsStream,
    names.rolloutsStream,
    names.weightsStream,
  ];
  for (const stream of streams) {
    try {
      await connection.manager.streams.delete(stream);
    } catch (error) {
      if (refusalOf(error) !== 'stream missing') {
        throw natsFailure(error, `remove the stream ${stream}`, connection.url);
      }
    }
  }
}
