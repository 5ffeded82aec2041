import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Document } from '../generated/fusemesh/v1/corpus_pb.ts';
import { decodeDocument, positionOfDocument, withoutText } from './document-message.ts';
import type { RunContext } from './names.ts';
import { type PositionedMessage, readInOrder } from './read-in-order.ts';

/** A document as its reader finds it. */
export interface ReadDocument extends PositionedMessage {
  /** Without text where the message is malformed. */
  readonly document: Document;
  /** Why it cannot be used; undefined where it can. */
  readonly malformed: string | undefined;
}

export async function* readDocuments(
  context: RunContext,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<ReadDocument> {
  const { names } = context;
  const source = {
    stream: names.documentsStream,
    subject: names.documentsSubject,
    fromPosition: positionOfDocument(from),
  };
  for await (const message of readInOrder(context, source, signal)) yield { ...message, ...read(message) };
}

function read({ bytes, position }: PositionedMessage): Pick<ReadDocument, 'document' | 'malformed'> {
  try {
    return { document: decodeDocument(bytes, position), malformed: undefined };
  } catch (error) {
    if (!(error instanceof FuseMeshError)) throw error;
    return { document: withoutText(position), malformed: error.message };
  }
}
