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
import type { Numbering } from './document-message.ts';
import { distributionsSubject, type RunContext, runNames } from './names.ts';
import { publishDistribution } from './publish-distribution.ts';
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
import { releaseDocuments } from './release-documents.ts';
import {
  ensureStreams,
  type Place,
  purgeStream,
  removeStreams,
  type StreamLimits,
} from './stream-settings.ts';
import { lookAtStreams, type RunState } from './stream-state.ts';

export type { DeliveredDocument } from './consume-documents.ts';
export type { CorpusAnswer, CorpusShelf } from './corpus-requests.ts';
export { type DeadLetter, feederSource } from './dead-letters.ts';
export type { Numbering } from './document-message.ts';
export type { PublishedCorpus } from './publish-documents.ts';
export type { IncomingDocument } from './read-documents.ts';
export type { PositionedMessage } from './read-in-order.ts';
export type { Place, StreamLimits } from './stream-settings.ts';
export type { RunState } from './stream-state.ts';

/** Stops waiting; what was waited for then ends quietly or throws `cancelled`, as said beside it. */
export interface Stoppable {
  readonly signal: AbortSignal;
}

/** A run's streams: its documents, its teachers' distributions of them, and of these what cannot be used. */
export interface RunStreams {
  /**
   * Makes the streams, or gives those that are there these limits. From then on whoever finds one gone makes it
   * again.
   */
  ensure(limits: StreamLimits): Promise<void>;

  /** What the feeder said it is going to publish; undefined before. */
  readManifest(): Promise<CorpusManifest | undefined>;
  /** What is published; undefined where there is no manifest. */
  publishedCorpus(): Promise<PublishedCorpus | undefined>;
  /**
   * Publishing the same again changes nothing.
   * @param options.first number of the document that follows it; above 0 where those before are never needed again
   * @throws FuseMeshError already_exists when the run has another corpus, cancelled when aborted
   */
  publishManifest(
    manifest: CorpusManifest,
    options?: { readonly first?: number; readonly signal?: AbortSignal },
  ): Promise<void>;
  /**
   * Documents go in order, after the manifest. One that is there already is left as it is; while the stream
   * is full this waits, and throws `cancelled` when aborted.
   * @param options.numbering of the stream; left out, it was never lost
   * @returns false where the one before it is not there (any more)
   */
  publishDocument(
    document: Document,
    options: PublishOptions & { readonly numbering?: Numbering },
  ): Promise<boolean>;
  /** Answers those who miss documents, and hears when the run is over; until the connection is closed. */
  answerCorpusRequests(shelf: CorpusShelf): void;
  /**
   * Asks the feeders for a document that is missing in the stream.
   * @param corpus SHA-256 over all documents, hexadecimal
   * @throws FuseMeshError already_exists when a feeder has another corpus
   */
  requestDocument(corpus: string, number: number): Promise<CorpusAnswer>;
  /** Tells the feeders that they may leave; nothing happens where there is none. */
  tellRunOver(): Promise<void>;
  /**
   * Documents that none of this teacher's replicas has acknowledged; ends when aborted. One that is neither
   * acknowledged nor said to be in work for 10 s is delivered again, to any replica.
   * One that is malformed goes to the dead letters.
   */
  consumeDocuments(teacher: string, options: ConsumeOptions): AsyncIterable<DeliveredDocument>;

  /**
   * Returns when the server has stored it. While the stream is full of this teacher's distributions, waits;
   * throws `cancelled` when aborted.
   * @param options.onWait called once when the waiting begins
   */
  publishDistribution(
    teacher: string,
    document: number,
    bytes: Uint8Array,
    options: PublishOptions & { readonly onWait?: () => void },
  ): Promise<void>;

  /**
   * Documents, malformed ones too, from a number on, in the order of the stream, waiting for those to come; ends when
   * aborted. Their numbers rise, save where the stream was lost and published again.
   * @param options.after place of the last one read before; left out, all that are there
   */
  readDocuments(
    options: Stoppable & { readonly from: number; readonly after?: Place | undefined },
  ): AsyncIterable<ReadDocument>;
  /**
   * One teacher's distributions in the order of the stream, waiting for those to come; ends when aborted.
   * @param options.after place of the last one read before; left out, all that are there
   */
  readDistributions(
    teacher: string,
    options: Stoppable & { readonly after?: Place | undefined },
  ): AsyncIterable<PositionedMessage>;

  /**
   * Puts a distribution that cannot be used aside. Returns when the server has stored it, once however often it
   * is put there.
   * @throws FuseMeshError cancelled when aborted while there is no answer
   */
  storeDeadLetter(letter: DeadLetter, options: Stoppable): Promise<void>;

  /**
   * What the streams hold, and how far these teachers are.
   * @throws FuseMeshError unavailable when NATS does not answer within seconds
   */
  look(teachers: readonly string[]): Promise<RunState>;

  /** Lets go of the documents before a number. The manifest stays. */
  releaseDocuments(before: number): Promise<void>;
  /** Lets go of one teacher's distributions up to a place, that one included. */
  releaseDistributions(teacher: string, upTo: Place): Promise<void>;
  /** Deletes the streams with all that is in them; nothing happens when there are none. */
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
    remove: () => removeStreams(context),
  };
}
