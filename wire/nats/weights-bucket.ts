import { DiscardPolicy, nanos, RetentionPolicy, StorageType } from 'nats';
import { refusalOf } from './failure.ts';
import type { RunContext } from './names.ts';
import { ensureStream } from './stream-settings.ts';
import {
  announcementSubject,
  bucketSubjects,
  chunksSubject,
  parseAnnouncement,
  type WeightsObject,
} from './weights-object.ts';

/** A chunk that is sent again within it, as its answer was lost, is stored once. */
const duplicateWindow = nanos(120_000);

/** Makes the bucket of a run's weights, as clients of object stores make one. */
export async function ensureBucket(context: RunContext, replicas: number): Promise<void> {
  const { chunks, announcements } = bucketSubjects(context.names);
  await ensureStream(context, {
    name: context.names.weightsStream,
    subjects: [chunks, announcements],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    storage: StorageType.File,
    num_replicas: replicas,
    allow_direct: true,
    // An announcement replaces the one before it of the same step.
    allow_rollup_hdrs: true,
    duplicate_window: duplicateWindow,
  });
}

/** An object, and where its announcement stands in the stream. */
export interface AnnouncedWeights extends WeightsObject {
  readonly position: number;
}

/** The weights that were announced last; undefined where there are none. */
export async function lastAnnounced({
  connection,
  names,
}: RunContext): Promise<AnnouncedWeights | undefined> {
  const { announcements } = bucketSubjects(names);
  return announcedAt({ connection, names }, announcements);
}

async function announcedAt(
  { connection, names }: Pick<RunContext, 'connection' | 'names'>,
  subject: string,
): Promise<AnnouncedWeights | undefined> {
  try {
    const { data, seq } = await connection.manager.streams.getMessage(names.weightsStream, {
      last_by_subj: subject,
    });
    const object = parseAnnouncement(data);
    return object && { ...object, position: seq };
  } catch (error) {
    if (['stream missing', 'message missing'].includes(refusalOf(error))) return undefined;
    throw error;
  }
}

/** Whether the bucket has every chunk of an object. */
export async function isWhole(context: RunContext, { id, chunks }: WeightsObject): Promise<boolean> {
  const subject = chunksSubject(context.names, id);
  return chunks === 0 || (await countBySubject(context, subject))[subject] === chunks;
}

/** Removes everything but what was announced last, so many times. */
export async function removeOlder(context: RunContext, keep: number): Promise<void> {
  const { connection, names } = context;
  const { chunks, announcements } = bucketSubjects(names);
  const found: AnnouncedWeights[] = [];
  for (const subject of Object.keys(await countBySubject(context, announcements))) {
    const object = await announcedAt(context, subject);
    if (object !== undefined) found.push(object);
  }
  found.sort((a, b) => b.position - a.position);
  const purge = (filter: string) => connection.manager.streams.purge(names.weightsStream, { filter });
  for (const { step } of found.slice(keep)) await purge(announcementSubject(names, step));
  // Also what a publisher has left that died in the middle: a run has one at a time.
  const kept = new Set(found.slice(0, keep).map(({ id }) => chunksSubject(names, id)));
  for (const subject of Object.keys(await countBySubject(context, chunks))) {
    if (!kept.has(subject)) await purge(subject);
  }
}

/** How many messages the stream has, by subject; none where it does not exist. */
async function countBySubject(
  { connection, names }: RunContext,
  filter: string,
): Promise<Readonly<Record<string, number>>> {
  try {
    const { state } = await connection.manager.streams.info(names.weightsStream, { subjects_filter: filter });
    return state.subjects ?? {};
  } catch (error) {
    if (refusalOf(error) === 'stream missing') return {};
    throw error;
  }
}
