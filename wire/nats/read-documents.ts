import type { Document } from '../generated/fusemesh/v1/corpus_pb.ts';
import { type DecodedDocument, DocumentDecoder } from './document-decoder.ts';
import type { RunContext } from './names.ts';
import { type PositionedMessage, readInOrder } from './read-in-order.ts';
import type { StreamPosition } from './stream-settings.ts';

/** What a document says: a text, or turns; and how the target wrote the last of them, where it did. */
export type DocumentContent = Pick<Document, 'text' | 'turns' | 'tools' | 'rollout'>;

/** A document of a run: what it says, or why it cannot be used. Its number stays its own in either case. */
export type IncomingDocument =
  | (DocumentContent & { readonly number: number; readonly unusable?: undefined })
  | { readonly number: number; readonly unusable: string };

/** A document as its reader finds it in the stream. */
export type ReadDocument = PositionedMessage & { readonly document: IncomingDocument };

/** Malformed ones whose number nobody knows are left out: the manifest was lost, and they are published again. */
export async function* readDocuments(
  context: RunContext,
  { from, after, signal }: { from: number; after?: StreamPosition | undefined; signal: AbortSignal },
): AsyncGenerator<ReadDocument> {
  const { names } = context;
  const decoder = new DocumentDecoder(context, signal);
  const source = { stream: names.documentsStream, subject: names.documentsSubject, after };
  for await (const message of readInOrder(context, source, signal)) {
    const decoded = await decoder.decode(message.bytes, message.position);
    const document = incomingDocument(decoded);
    if (document !== undefined && document.number >= from) yield { ...message, document };
  }
}

function incomingDocument(decoded: DecodedDocument): IncomingDocument | undefined {
  const { document } = decoded;
  if (document !== undefined) {
    const { text, turns, tools, rollout } = document;
    return { number: Number(document.number), text, turns, tools, ...(rollout && { rollout }) };
  }
  const { number, malformed } = decoded;
  return number === undefined ? undefined : { number, unusable: malformed };
}
