import { positionOfDocument } from './document-numbering.ts';
import { natsFailure, refusalOf } from './failure.ts';
import type { RunContext } from './names.ts';
import { readManifest } from './publish-documents.ts';
import { lifeOf, type StreamPosition } from './stream-settings.ts';

/** Removes the documents before a number. The manifest stays. */
export async function releaseDocuments(context: RunContext, before: number): Promise<void> {
  const { connection, names } = context;
  try {
    const life = lifeOf(await connection.manager.streams.info(names.documentsStream));
    const numbering = await readManifest(context);
    if (numbering === undefined) return;
    const upTo = { position: positionOfDocument(before, numbering) - 1, life };
    await purgeStream(context, names.documentsStream, names.documentsSubject, upTo);
  } catch (error) {
    if (refusalOf(error) === 'stream missing') return;
    throw natsFailure(error, `release documents of run ${names.run}`, connection.url);
  }
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
