import { equals, toBinary } from '@bufbuild/protobuf';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { documentToBytes, manifestFromBytes } from '../codec/document-bytes.ts';
import {
  type CorpusManifest,
  CorpusManifestSchema,
  type Document,
} from '../generated/fusemesh/v1/corpus_pb.ts';
import { documentAtPosition, manifestPosition, positionOfDocument } from './document-message.ts';
import { natsFailure, refusalOf } from './failure.ts';
import type { RunContext } from './names.ts';
import { type PublishOptions, publishStored } from './publish-stored.ts';
import { traceHeaders } from './traceparent.ts';

const never = new AbortController().signal;

export async function readManifest({ connection, names }: RunContext): Promise<CorpusManifest | undefined> {
  const { streams } = connection.manager;
  try {
    const last = await streams.getMessage(names.documentsStream, { last_by_subj: names.corpusSubject });
    if (last.seq === manifestPosition) return manifestFromBytes(last.data);
    // Whoever has published another one behind it does not change the run.
    const first = await streams.getMessage(names.documentsStream, { seq: manifestPosition }).catch(orMissing);
    return manifestFromBytes((first?.subject === names.corpusSubject ? first : last).data);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === 'message missing' || refusal === 'stream missing') return undefined;
    throw natsFailure(error, `read the manifest of run ${names.run}`, connection.url);
  }
}

function orMissing(error: unknown): undefined {
  if (refusalOf(error) !== 'message missing') throw error;
  return undefined;
}

export async function publishManifest(context: RunContext, manifest: CorpusManifest): Promise<void> {
  const { names } = context;
  const answer = await publishStored(
    context,
    {
      subject: names.corpusSubject,
      bytes: toBinary(CorpusManifestSchema, manifest),
      once: { expect: { lastSequence: manifestPosition - 1 } },
      doing: `publish the manifest of run ${names.run}`,
    },
    { signal: never },
  );
  if (answer === 'stored') return;
  const found = await readManifest(context);
  if (found !== undefined && equals(CorpusManifestSchema, found, manifest)) return;
  throw new FuseMeshError(
    'already_exists',
    `Run ${names.run} already has another corpus: give the run another name, or begin it again with --fresh.`,
  );
}

export async function lastDocumentPublished({ connection, names }: RunContext): Promise<number> {
  try {
    const { state } = await connection.manager.streams.info(names.documentsStream);
    return Math.max(-1, documentAtPosition(state.last_seq));
  } catch (error) {
    throw natsFailure(error, `look at the documents of run ${names.run}`, connection.url);
  }
}

export async function publishDocument(
  context: RunContext,
  document: Document,
  { signal, traceparent }: PublishOptions,
): Promise<void> {
  const { names } = context;
  const number = Number(document.number);
  const doing = `publish document ${number} of run ${names.run}`;
  const answer = await publishStored(
    context,
    {
      subject: names.documentsSubject,
      bytes: documentToBytes(document),
      once: { expect: { lastSequence: positionOfDocument(number) - 1 } },
      doing,
      headers: traceHeaders(traceparent),
    },
    { signal },
  );
  if (answer === 'stored') return;
  const last = await lastDocumentPublished(context);
  if (number <= last) return;
  throw new FuseMeshError(
    'failed_precondition',
    last === -1
      ? `Cannot ${doing}: documents follow the manifest and one another, and there is none before it.`
      : `Cannot ${doing}: documents go in order, and the last one there is ${last}.`,
  );
}
