import { create } from '@bufbuild/protobuf';
import { documentFromBytes } from '../codec/document-bytes.ts';
import { type Document, DocumentSchema } from '../generated/fusemesh/v1/corpus_pb.ts';

/** The manifest is message 1 of the documents' stream, document d message d + 2. */
export const manifestPosition = 1;

export function positionOfDocument(number: number): number {
  return number + manifestPosition + 1;
}

export function documentAtPosition(position: number): number {
  return position - manifestPosition - 1;
}

/** @throws FuseMeshError data_loss when it is no document, or not the one that belongs there */
export function decodeDocument(bytes: Uint8Array, position: number): Document {
  return documentFromBytes(bytes, documentAtPosition(position));
}

/** Stands in the place of a document that cannot be used: those that can have a text. */
export function withoutText(position: number): Document {
  return create(DocumentSchema, { number: BigInt(documentAtPosition(position)), text: '' });
}
