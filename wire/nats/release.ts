import type { SeqMsgRequest } from 'nats';
import { positionOfDocument } from './document-numbering.ts';
import { natsFailure, refusalOf } from './failure.ts';
import type { RunContext } from './names.ts';
import { readManifest } from './publish-documents.ts';
import { isSince } from './server-version.ts';
import { lifeOf, type StreamPosition } from './stream-settings.ts';

/**
 * Before this version, a purge by subject forgets which messages of the stream are in some consumer's hands, and never
 * delivers them again (nats-server#3892).
 */
const purgeKeepsPending = [2, 9, 15] as const;
/** Removals that are asked for side by side. */
const atOnce = 64;

/** Removes the documents before a number. The manifest stays. */
export async function releaseDocuments(context: RunContext, before: number): Promise<void> {
  const { connection, names } = context;
  try {
    const life = lifeOf(await connection.manager.streams.info(names.documentsStream));
    const numbering = await readManifest(context);
    if (numbering === undefined) return;
    const upTo = { position: positionOfDocument(before, numbering) - 1, life };
    if (isSince(connection.serverVersion, purgeKeepsPending)) {
      await purgeStream(context, names.documentsStream, names.documentsSubject, upTo);
    } else await removeUpTo(context, names.documentsStream, names.documentsSubject, upTo);
    await releaseParts(context, before);
  } catch (error) {
    if (refusalOf(error) === 'stream missing') return;
    throw natsFailure(error, `release documents of run ${names.run}`, connection.url);
  }
}

/** Removes the parts of documents before a number, and of what teachers say about them. */
async function releaseParts({ connection, names }: RunContext, before: number): Promise<void> {
  const { streams } = connection.manager;
  const { partsStream: stream, partsPrefix } = names;
  if ((await streams.info(stream)).state.messages === 0) return;
  const { state } = await streams.info(stream, { subjects_filter: `${partsPrefix}>` });
  const covered = Object.keys(state.subjects ?? {}).filter(
    (subject) => Number(subject.slice(subject.lastIndexOf('.') + 1)) < before,
  );
  for (const filter of covered) await streams.purge(stream, { filter });
}

/**
 * Removes the messages of one subject up to a position, inclusive; nothing where the stream is gone or was made anew.
 */
export async function purgeStream(
  { connection }: RunContext,
  stream: string,
  subject: string,
  upTo: StreamPosition,
): Promise<void> {
  if (upTo.position < 1) return;
  const { streams } = connection.manager;
  try {
    if (lifeOf(await streams.info(stream)) !== upTo.life) return;
    await streams.purge(stream, { filter: subject, seq: upTo.position + 1 });
  } catch (error) {
    if (refusalOf(error) === 'stream missing') return;
    throw natsFailure(error, `release what checkpoints cover from ${stream}`, connection.url);
  }
}

/** {@link purgeStream}, message by message. */
async function removeUpTo(
  context: RunContext,
  stream: string,
  subject: string,
  upTo: StreamPosition,
): Promise<void> {
  const { streams } = context.connection.manager;
  try {
    const { seq: first } = await streams.getMessage(stream, {
      seq: 1,
      next_by_subj: subject,
    } as SeqMsgRequest);
    const count = Math.max(0, upTo.position - first + 1);
    const positions = Array.from({ length: count }, (_, i) => first + i);
    await removeMessages(context, stream, positions, upTo.life);
  } catch (error) {
    if (['stream missing', 'message missing'].includes(refusalOf(error))) return;
    throw natsFailure(error, `release what checkpoints cover from ${stream}`, context.connection.url);
  }
}

/**
 * Removes single messages; nothing where the stream is gone or was made anew. Those that are gone already are passed over.
 */
export async function removeMessages(
  { connection }: RunContext,
  stream: string,
  positions: readonly number[],
  life: string,
): Promise<void> {
  const { streams } = connection.manager;
  const remove = (position: number) =>
    streams.deleteMessage(stream, position, false).catch((error: unknown) => {
      if (refusalOf(error) !== 'message missing') throw error;
    });
  try {
    if (lifeOf(await streams.info(stream)) !== life) return;
    for (let begin = 0; begin < positions.length; begin += atOnce) {
      await Promise.all(positions.slice(begin, begin + atOnce).map(remove));
    }
  } catch (error) {
    if (refusalOf(error) === 'stream missing') return;
    throw natsFailure(error, `remove single messages from ${stream}`, connection.url);
  }
}
