import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { type Document, DocumentSchema } from '../generated/fusemesh/v1/corpus_pb.ts';

/** The manifest is message 1 of the documents' stream, document d message d + 2. */
export const manifestPosition = 1;

export function positionOfDocument(number: number): number {
  return number + manifestPosition + 1;
}

export function documentAtPosition(position: number): number {
  return position - manifestPosition - 1;
}

export function encodeDocument(document: Document): Uint8Array {
  return toBinary(DocumentSchema, document);
}

/** @throws FuseMeshError data_loss when it is no document, or not the one that belongs there */
export function decodeDocument(bytes: Uint8Array, position: number): Document {
  let document: Document;
  try {
    document = fromBinary(DocumentSchema, bytes);
  } catch (cause) {
    throw new FuseMeshError('data_loss', `Message ${position} of the documents' stream is no document.`, {
      cause,
    });
  }
  if (Number(document.number) !== documentAtPosition(position)) {
    throw new FuseMeshError(
      'data_loss',
      `Message ${position} of the documents' stream holds document ${document.number} instead of ${documentAtPosition(position)}: begin the run again with --fresh.`,
    );
  }
  return document;
}
