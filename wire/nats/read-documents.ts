import { create } from '@bufbuild/protobuf';
import { type Document, DocumentSchema } from '../generated/fusemesh/v1/corpus_pb.ts';
import { DocumentDecoder } from './document-decoder.ts';
import type { RunContext } from './names.ts';
import { type PositionedMessage, readInOrder } from './read-in-order.ts';
import type { Place } from './stream-settings.ts';

/** A document as its reader finds it. */
export interface ReadDocument extends PositionedMessage {
  /** Without text where the message is malformed. */
  readonly document: Document;
  /** Why it cannot be used; undefined where it can. */
  readonly malformed: string | undefined;
}

/** Malformed ones whose number nobody knows are left out: the manifest was lost, and they are published again. */
export async function* readDocuments(
  context: RunContext,
  { from, after, signal }: { from: number; after?: Place | undefined; signal: AbortSignal },
): AsyncGenerator<ReadDocument> {
  const { names } = context;
  const decoder = new DocumentDecoder(context, signal);
  const source = { stream: names.documentsStream, subject: names.documentsSubject, after };
  for await (const message of readInOrder(context, source, signal)) {
    const decoded = await decoder.decode(message.bytes, message.position);
    const document = decoded.document ?? withoutText(decoded.number);
    if (document === undefined || Number(document.number) < from) continue;
    yield { ...message, document, malformed: decoded.malformed };
  }
}

/** Stands in the place of a document that cannot be used: those that can have a text. */
const withoutText = (number: number | undefined): Document | undefined =>
  number === undefined ? undefined : create(DocumentSchema, { number: BigInt(number), text: '' });
