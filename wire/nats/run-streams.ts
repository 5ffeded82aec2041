import type { CorpusManifest, Document } from '../generated/fusemesh/v1/corpus_pb.ts';
import type { NatsConnection } from './connection.ts';
import { type ConsumeOptions, consumeDocuments, type DeliveredDocument } from './consume-documents.ts';
import {
  answerCorpusRequests,
  type CorpusAnswer,
  type CorpusShelf,
  requestDocument,
  tellRunOver,
} from './corpus-requests.ts';
import { type DeadLetter, storeDeadLetter } from './dead-letters.ts';
import type { Numbering } from './document-numbering.ts';
import { distributionsSubject, partsPlace, type RunContext, runNames } from './names.ts';
import { publishWhole } from './parts.ts';
import {
  type PublishedCorpus,
  publishDocument,
  publishedCorpus,
  publishManifest,
  readManifest,
} from './publish-documents.ts';
import type { PublishOptions } from './publish-stored.ts';
import { type ReadDocument, readDocuments } from './read-documents.ts';
import { type PositionedMessage, readInOrder } from './read-in-order.ts';
import { purgeStream, releaseDocuments, removeMessages } from './release.ts';
import { ensureStreams, removeStreams, type StreamLimits, type StreamPosition } from './stream-settings.ts';
import { lookAtStreams, type RunState } from './stream-state.ts';
import { traceHeaders } from './traceparent.ts';

export { type DeliveredDocument, markEvery } from './consume-documents.ts';
export type { CorpusAnswer, CorpusShelf } from './corpus-requests.ts';
export { type DeadLetter, feederSource } from './dead-letters.ts';
export type { Numbering } from './document-numbering.ts';
export type { PublishedCorpus } from './publish-documents.ts';
export type { DocumentContent, IncomingDocument } from './read-documents.ts';
export type { PositionedMessage } from './read-in-order.ts';
export type { StreamLimits, StreamPosition } from './stream-settings.ts';
export type { RunState } from './stream-state.ts';

/** What stops when the signal aborts either ends quietly or throws `cancelled`, as each method says. */
export interface Stoppable {
  readonly signal: AbortSignal;
}

/** A run's streams: its documents, its teachers' distributions of them, and the dead letters of both. */
export interface RunStreams {
  /**
   * Makes the streams, or gives existing ones these limits. From then on, a stream that is found missing is made again.
   */
  ensure(limits: StreamLimits): Promise<void>;

  /** The feeder's announcement of what it is going to publish; undefined before. */
  readManifest(): Promise<CorpusManifest | undefined>;
  /** What is published; undefined where there is no manifest. */
  publishedCorpus(): Promise<PublishedCorpus | undefined>;
  /**
   * Publishing the same manifest again changes nothing.
   * @param options.first number of the document that follows it; above 0 where earlier ones are never needed again
   * @throws FuseMeshError already_exists when the run has another corpus, cancelled when aborted
   */
  publishManifest(
    manifest: CorpusManifest,
    options?: { readonly first?: number; readonly signal?: AbortSignal },
  ): Promise<void>;
  /**
   * Documents are published in order, after the manifest; one that is there already is left as it is. Waits while the
   * stream is full; throws `cancelled` when aborted.
   * @param options.numbering of the stream; left out, that of a stream that was never lost
   * @returns false where the document before it is missing
   */
  publishDocument(
    document: Document,
    options: PublishOptions & { readonly numbering?: Numbering },
  ): Promise<boolean>;
  /** Answers requests for missing documents, and learns when the run is over; until the connection is closed. */
  answerCorpusRequests(shelf: CorpusShelf): void;
  /**
   * Asks the feeders for a document that is missing in the stream.
   * @param corpus SHA-256 over all documents, hexadecimal
   * @throws FuseMeshError already_exists when a feeder has another corpus
   */
  requestDocument(corpus: string, number: number): Promise<CorpusAnswer>;
  /** Tells the feeders that they may end; does nothing where there are none. */
  tellRunOver(): Promise<void>;
  /**
   * Documents that none of this teacher's replicas has acknowledged; ends when aborted. A document that is neither
   * acknowledged nor reported as `working` for 10 s is delivered again, to any replica. A malformed one goes to the
   * dead letters.
   */
  consumeDocuments(teacher: string, options: ConsumeOptions): AsyncIterable<DeliveredDocument>;

  /**
   * Returns when the server has stored it. Waits while the stream is full of this teacher's distributions; throws
   * `cancelled` when aborted.
   * @param options.onWait called once, when the stream is found full
   */
  publishDistribution(
    teacher: string,
    document: number,
    bytes: Uint8Array,
    options: PublishOptions & { readonly onWait?: () => void },
  ): Promise<void>;

  /**
   * Documents from a number on, malformed ones included, in the order of the stream, waiting for new ones; ends when
   * aborted. Their numbers rise, except where the stream was lost and published again.
   * @param options.after position of the last one read before; left out, reading begins with the first
   */
  readDocuments(
    options: Stoppable & { readonly from: number; readonly after?: StreamPosition | undefined },
  ): AsyncIterable<ReadDocument>;
  /**
   * One teacher's distributions in the order of the stream, waiting for new ones; ends when aborted.
   * @param options.after position of the last one read before; left out, reading begins with the first
   */
  readDistributions(
    teacher: string,
    options: Stoppable & { readonly after?: StreamPosition | undefined },
  ): AsyncIterable<PositionedMessage>;

  /**
   * Puts a message that cannot be used aside. Returns when the server has stored it; the same message is stored once.
   * @throws FuseMeshError cancelled when aborted while there is no answer
   */
  storeDeadLetter(letter: DeadLetter, options: Stoppable): Promise<void>;

  /**
   * What the streams hold, and how far these teachers have come.
   * @throws FuseMeshError unavailable when NATS does not answer within seconds
   */
  look(teachers: readonly string[]): Promise<RunState>;

  /** Removes the documents before a number. The manifest stays. */
  releaseDocuments(before: number): Promise<void>;
  /** Removes one teacher's distributions up to a position, inclusive. */
  releaseDistributions(teacher: string, upTo: StreamPosition): Promise<void>;
  /** Removes single distributions, of one life of the stream. Those that are gone already are passed over. */
  removeDistributions(positions: readonly number[], life: string): Promise<void>;
  /** Deletes the streams with everything in them; does nothing where there are none. */
  remove(): Promise<void>;
}

/** @param run name of the run: part of every subject and stream name */
export function openRunStreams(connection: NatsConnection, run: string): RunStreams {
  let limits: StreamLimits | undefined;
  const names = runNames(run);
  const context: RunContext = {
    connection,
    names,
    async restore() {
      if (limits !== undefined) await ensureStreams(context, limits);
      return limits !== undefined;
    },
  };
  return {
    async ensure(wanted) {
      limits = wanted;
      await ensureStreams(context, wanted);
    },
    readManifest: async () => (await readManifest(context))?.manifest,
    publishedCorpus: () => publishedCorpus(context),
    publishManifest: (manifest, options = {}) => publishManifest(context, manifest, options),
    publishDocument: (document, options) => publishDocument(context, document, options),
    answerCorpusRequests: (shelf) => answerCorpusRequests(context, shelf),
    requestDocument: (corpus, number) => requestDocument(context, corpus, number),
    tellRunOver: () => tellRunOver(context),
    consumeDocuments: (teacher, options) => consumeDocuments(context, teacher, options),
    publishDistribution: (teacher, document, bytes, options) =>
      publishDistribution(context, { teacher, document, bytes }, options),
    readDocuments: (options) => readDocuments(context, options),
    readDistributions: (teacher, { after, signal }) =>
      readInOrder(
        context,
        { stream: names.distributionsStream, subject: distributionsSubject(names, teacher), after },
        signal,
      ),
    storeDeadLetter: (letter, { signal }) => storeDeadLetter(context, letter, signal),
    look: (teachers) => lookAtStreams(context, teachers),
    releaseDocuments: (before) => releaseDocuments(context, before),
    releaseDistributions: (teacher, upTo) =>
      purgeStream(context, names.distributionsStream, distributionsSubject(names, teacher), upTo),
    removeDistributions: (positions, life) =>
      removeMessages(context, names.distributionsStream, positions, life),
    remove: () => removeStreams(context),
  };
}

/** Stores one teacher's distributions of one document; the message id keeps a second copy out for two minutes. */
async function publishDistribution(
  context: RunContext,
  { teacher, document, bytes }: { teacher: string; document: number; bytes: Uint8Array },
  { traceparent, ...options }: PublishOptions & { readonly onWait?: () => void },
): Promise<void> {
  await publishWhole(
    context,
    {
      subject: distributionsSubject(context.names, teacher),
      bytes,
      once: { msgID: `${teacher}/${document}` },
      doing: `publish what ${teacher} says about document ${document}`,
      headers: traceHeaders(traceparent),
    },
    partsPlace(context.names, document, teacher),
    options,
  );
}
