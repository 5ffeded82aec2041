import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import {
  type CorpusManifest,
  CorpusManifestSchema,
  type Document,
  DocumentSchema,
} from '../generated/fusemesh/v1/corpus_pb.ts';
import { documentVersion, refuseNewer } from './schema-version.ts';
import { mostFields, wireFields } from './wire-fields.ts';

/** No text that fits into a model's context is longer. */
export const mostDocumentBytes = 4 * 1024 * 1024;
/** Room for the fields beside the text: number, domain and others. */
const besideText = 4_096;
/** Of a conversation: more say nothing that a model's context has room for. */
export const mostTurns = 8_192;

/** @throws FuseMeshError invalid_argument for a text that no reader takes */
export function documentToBytes(document: Document): Uint8Array {
  const bytes = toBinary(DocumentSchema, document);
  const what = wrongContent(document) ?? wrongRollout(document) ?? tooLong(bytes);
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
    wireFields(bytes, mostFields + mostTurns);
    document = fromBinary(DocumentSchema, bytes, { readUnknownFields: false });
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new FuseMeshError('data_loss', `${what}: ${bytes.length} bytes are no document: ${reason}.`, {
      cause,
    });
  }
  refuseNewer(document.schemaVersion, what, documentVersion);
  if (number !== undefined && document.number !== BigInt(number)) {
    throw new FuseMeshError('data_loss', `${what}: in its place stands number ${document.number}.`);
  }
  const wrong = wrongContent(document) ?? wrongRollout(document);
  if (wrong !== undefined) throw new FuseMeshError('data_loss', `${what} ${wrong}.`);
  return document;
}

/** What is wrong with what a document holds, to be read behind its name; undefined where nothing is. */
export function wrongContent({
  text,
  turns,
  tools,
}: Pick<Document, 'text' | 'turns' | 'tools'>): string | undefined {
  if (turns.length === 0) return text === '' ? 'has no text' : undefined;
  if (text !== '') return 'has a text and turns';
  if (turns.length > mostTurns) return `has ${turns.length} turns, the most are ${mostTurns}`;
  if (tools !== '' && !Array.isArray(parsed(tools))) return 'has tools that are no JSON array';
  const turn = turns.findIndex(({ extras }) => extras !== '' && !isObject(parsed(extras)));
  return turn === -1 ? undefined : `has extras in turn ${turn} that are no JSON object`;
}

const aboveZero = 2 ** -10;

/** What is wrong with how a completion was written; undefined where nothing is, or the document is none. */
function wrongRollout({ rollout, turns }: Pick<Document, 'rollout' | 'turns'>): string | undefined {
  if (rollout === undefined) return undefined;
  const { weightsStep, tokens, logProbability, seconds } = rollout;
  if (turns.at(-1)?.learnt !== true) return 'has a rollout, but its last turn is not learnt';
  if (weightsStep > BigInt(Number.MAX_SAFE_INTEGER)) return `has weights_step ${weightsStep}`;
  if (tokens === 0) return 'has a rollout of no token';
  // Where a model is certain, rounding may bring a logarithm slightly above 0.
  if (!(logProbability <= tokens * aboveZero && Number.isFinite(logProbability))) {
    return `has log_probability ${logProbability}`;
  }
  return seconds >= 0 && Number.isFinite(seconds) ? undefined : `has a rollout of ${seconds} seconds`;
}

/** Undefined where it is no JSON. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

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
