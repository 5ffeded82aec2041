import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import {
  type CorpusManifest,
  CorpusManifestSchema,
  type Document,
  DocumentSchema,
} from '../generated/fusemesh/v1/corpus_pb.ts';
import { refuseNewer } from './schema-version.ts';
import { wireFields } from './wire-fields.ts';

/** No text that fits into a model's context is longer. */
export const mostDocumentBytes = 4 * 1024 * 1024;
/** Room for the fields beside the text: number, domain and others. */
const besideText = 4_096;

/** @throws FuseMeshError invalid_argument for a text that no reader takes */
export function documentToBytes(document: Document): Uint8Array {
  const bytes = toBinary(DocumentSchema, document);
  const what = document.text === '' ? 'has no text' : tooLong(bytes);
  if (what === undefined) return bytes;
  throw new FuseMeshError('invalid_argument', `Document ${document.number} ${what}.`);
}

/**
 * @param number that the document must have; undefined where any will do
 * @throws FuseMeshError data_loss with a reason that names the field
 */
export function documentFromBytes(bytes: Uint8Array, number: number | undefined): Document {
  const what = number === undefined ? 'A document' : `Document ${number}`;
  const long = tooLong(bytes);
  if (long !== undefined) throw new FuseMeshError('data_loss', `${what} ${long}.`);
  let document: Document;
  try {
    wireFields(bytes);
    document = fromBinary(DocumentSchema, bytes, { readUnknownFields: false });
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new FuseMeshError('data_loss', `${what}: ${bytes.length} bytes are no document: ${reason}.`, {
      cause,
    });
  }
  refuseNewer(document.schemaVersion, what);
  if (number !== undefined && document.number !== BigInt(number)) {
    throw new FuseMeshError('data_loss', `${what}: in its place stands number ${document.number}.`);
  }
  if (document.text === '') throw new FuseMeshError('data_loss', `${what}: its text is empty.`);
  return document;
}

const tooLong = ({ length }: Uint8Array): string | undefined =>
  length > mostDocumentBytes + besideText
    ? `has ${length} bytes of text and more, the most are ${mostDocumentBytes}`
    : undefined;

/** @throws FuseMeshError data_loss with a reason that names the field */
export function manifestFromBytes(bytes: Uint8Array): CorpusManifest {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new FuseMeshError(
      'data_loss',
      `The corpus's manifest cannot be used: ${reason}: begin the run again with --fresh.`,
      { cause },
    );
  };
  let manifest: CorpusManifest;
  try {
    wireFields(bytes);
    manifest = fromBinary(CorpusManifestSchema, bytes, { readUnknownFields: false });
  } catch (cause) {
    return refuse((cause as Error).message, cause);
  }
  refuseNewer(manifest.schemaVersion, "The corpus's manifest");
  const { documents, sha256, contextLength } = manifest;
  if (documents < 1n || documents > BigInt(Number.MAX_SAFE_INTEGER)) refuse(`documents is ${documents}`);
  if (sha256.length !== 32) refuse(`sha256 has ${sha256.length} bytes`);
  if (contextLength === 0) refuse('context_length is 0');
  return manifest;
}
