import { equals, toBinary } from '@bufbuild/protobuf';
import { headers } from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { documentToBytes, manifestFromBytes } from '../codec/document-bytes.ts';
import {
  type CorpusManifest,
  CorpusManifestSchema,
  type Document,
} from '../generated/fusemesh/v1/corpus_pb.ts';
import { documentAtPosition, type Numbering, positionOfDocument } from './document-numbering.ts';
import { natsFailure, refusalOf } from './failure.ts';
import { partsPlace, type RunContext } from './names.ts';
import { publishWhole } from './parts.ts';
import { type PublishOptions, publishStored } from './publish-stored.ts';
import { traceHeaders } from './traceparent.ts';

/** Numbering of a stream that was never lost. */
const usual: Numbering = { manifestPosition: 1, first: 0 };
const never = new AbortController().signal;
/** Header of the manifest: number of the first document behind it, where that is not 0. */
const firstHeader = 'Fusemesh-First-Document';

/** A manifest and its position in the stream. */
interface StoredManifest extends Numbering {
  readonly manifest: CorpusManifest;
}

/** What a documents' stream holds. */
export interface PublishedCorpus extends StoredManifest {
  /** Number of the last document ever published behind the manifest; first − 1 when none. */
  readonly last: number;
  /** Number of the first document that has not been released; last + 1 when there is none. */
  readonly firstHeld: number;
}

/** Asks for the first message of a subject from a position on. The client's types do not know of `next_by_subj`. */
const firstFrom = (position: number, subject: string): { seq: number } => {
  const query = { seq: position, next_by_subj: subject };
  return query;
};

export async function readManifest({
  connection,
  names,
}: Pick<RunContext, 'connection' | 'names'>): Promise<StoredManifest | undefined> {
  try {
    // A run has one manifest: whoever has published another one behind it does not change the run.
    const query = firstFrom(1, names.corpusSubject);
    const { data, header, seq } = await connection.manager.streams.getMessage(names.documentsStream, query);
    const manifest = manifestFromBytes(data);
    return { manifest, manifestPosition: seq, first: Number(header?.get(firstHeader) || 0) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw natsFailure(error, `read the manifest of run ${names.run}`, connection.url);
  }
}

/** What is published; undefined where there is no manifest. */
export async function publishedCorpus(context: RunContext): Promise<PublishedCorpus | undefined> {
  const { connection, names } = context;
  const { streams } = connection.manager;
  const stored = await readManifest(context);
  if (stored === undefined) return undefined;
  try {
    const { state } = await streams.info(names.documentsStream);
    const last = documentAtPosition(state.last_seq, stored);
    const next = firstFrom(stored.manifestPosition + 1, names.documentsSubject);
    const held = await streams.getMessage(names.documentsStream, next).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
      return undefined;
    });
    const firstHeld = held ? documentAtPosition(held.seq, stored) : last + 1;
    return { ...stored, last, firstHeld };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw natsFailure(error, `look at the documents of run ${names.run}`, connection.url);
  }
}

export async function publishManifest(
  context: RunContext,
  manifest: CorpusManifest,
  { first = 0, signal = never }: { readonly first?: number; readonly signal?: AbortSignal },
): Promise<void> {
  const { connection, names } = context;
  const own = headers();
  if (first > 0) own.set(firstHeader, String(first));
  for (;;) {
    const found = await readManifest(context);
    if (found !== undefined) return refuseOtherCorpus(names.run, found.manifest, manifest);
    const doing = `publish the manifest of run ${names.run}`;
    const lastSequence = await lastPosition(context).catch((error: unknown) => {
      throw natsFailure(error, doing, connection.url);
    });
    const bytes = toBinary(CorpusManifestSchema, manifest);
    const publication = { subject: names.corpusSubject, bytes, headers: own, doing };
    const once = { expect: { lastSequence } };
    const outcome = await publishStored(context, { ...publication, once }, { signal });
    if (outcome !== 'wrong last sequence') return;
  }
}

/** Position of the last message ever stored in the documents' stream; 0 where there is none. */
async function lastPosition({ connection, names }: RunContext): Promise<number> {
  try {
    return (await connection.manager.streams.info(names.documentsStream)).state.last_seq;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

/** @throws FuseMeshError already_exists where the corpus in the stream is not the one that is meant */
function refuseOtherCorpus(run: string, found: CorpusManifest, meant: CorpusManifest): void {
  if (equals(CorpusManifestSchema, found, meant)) return;
  throw new FuseMeshError(
    'already_exists',
    `Run ${run} already has another corpus: give the run another name, or begin it again with --fresh.`,
  );
}

export async function publishDocument(
  context: RunContext,
  document: Document,
  { signal, traceparent, numbering = usual }: PublishOptions & { readonly numbering?: Numbering },
): Promise<boolean> {
  const { names } = context;
  const number = Number(document.number);
  const answer = await publishWhole(
    context,
    {
      subject: names.documentsSubject,
      bytes: documentToBytes(document),
      once: { expect: { lastSequence: positionOfDocument(number, numbering) - 1 } },
      doing: `publish document ${number} of run ${names.run}`,
      headers: traceHeaders(traceparent),
    },
    partsPlace(names, number),
    { signal },
  );
  if (answer !== 'wrong last sequence') return true;
  const published = await publishedCorpus(context);
  return published !== undefined && number <= published.last;
}

function isMissing(error: unknown): boolean {
  const refusal = refusalOf(error);
  return refusal === 'message missing' || refusal === 'stream missing';
}
