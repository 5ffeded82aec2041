import { positionOfDocument } from './document-message.ts';
import { natsFailure, refusalOf } from './failure.ts';
import type { RunContext } from './names.ts';
import { readManifest } from './publish-documents.ts';
import { lifeOf, purgeStream } from './stream-settings.ts';

/** Lets go of the documents before a number. The manifest stays. */
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
