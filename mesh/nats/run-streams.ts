import type { CorpusManifest, Document } from '../generated/fusemesh/v1/corpus_pb.ts';
import type { NatsConnection } from './connection.ts';
import { type ConsumeOptions, consumeDocuments, type DeliveredDocument } from './consume-documents.ts';
import { type DeadLetter, storeDeadLetter } from './dead-letters.ts';
import { positionOfDocument } from './document-message.ts';
import { distributionsSubject, runNames } from './names.ts';
import { publishDistribution } from './publish-distribution.ts';
import {
  lastDocumentPublished,
  publishDocument,
  publishManifest,
  readManifest,
} from './publish-documents.ts';
import type { PublishOptions } from './publish-stored.ts';
import { type ReadDocument, readDocuments } from './read-documents.ts';
import { type PositionedMessage, readInOrder } from './read-in-order.ts';
import { ensureStreams, purgeStream, removeStreams, type StreamLimits } from './stream-settings.ts';
import { lookAtStreams, type RunState } from './stream-state.ts';

export type { DeliveredDocument } from './consume-documents.ts';
export { type DeadLetter, feederSource } from './dead-letters.ts';
export type { StreamLimits } from './stream-settings.ts';
export type { RunState } from './stream-state.ts';

/** Stops waiting; what was waited for then ends quietly or throws `cancelled`, as said beside it. */
export interface Stoppable {
  readonly signal: AbortSignal;
}

/** A run's streams: its documents, its teachers' distributions of them, and of these what cannot be used. */
export interface RunStreams {
  /** Makes the streams, or gives those that are there these limits. */
  ensure(limits: StreamLimits): Promise<void>;

  /** What the feeder said it is going to publish; undefined before. */
  readManifest(): Promise<CorpusManifest | undefined>;
  /**
   * Publishing the same again changes nothing.
   * @throws FuseMeshError already_exists when the run has another corpus
   */
  publishManifest(manifest: CorpusManifest): Promise<void>;
  /** Number of the last document ever published; −1 when none. */
  lastDocumentPublished(): Promise<number>;
  /**
   * Documents go in order, after the manifest. One that is there already is left as it is; while the stream
   * is full this waits, and throws `cancelled` when aborted.
   */
  publishDocument(document: Document, options: PublishOptions): Promise<void>;
  /**
   * Documents that none of this teacher's replicas has acknowledged; ends when aborted. One that is neither
   * acknowledged nor said to be in work for 30 s is delivered again, to any replica.
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

  /** Documents in order, malformed ones too, from a number on, waiting for those to come; ends when aborted. */
  readDocuments(options: Stoppable & { readonly from: number }): AsyncIterable<ReadDocument>;
  /**
   * One teacher's distributions in the order of the stream, waiting for those to come; ends when aborted.
   * @param options.afterPosition position of the last one read before; 0 for all that are there
   */
  readDistributions(
    teacher: string,
    options: Stoppable & { readonly afterPosition: number },
  ): AsyncIterable<PositionedMessage>;

  /**
   * Puts a message that cannot be used aside. Returns when the server has stored it, once however often it
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
  /** Lets go of one teacher's distributions up to a position, that one included. */
  releaseDistributions(teacher: string, upToPosition: number): Promise<void>;
  /** Deletes the streams with all that is in them; nothing happens when there are none. */
  remove(): Promise<void>;
}

/** @param run name of the run: part of every subject and stream name */
export function openRunStreams(connection: NatsConnection, run: string): RunStreams {
  const context = { connection, names: runNames(run) };
  const { names } = context;
  return {
    ensure: (limits) => ensureStreams(context, limits),
    readManifest: () => readManifest(context),
    publishManifest: (manifest) => publishManifest(context, manifest),
    lastDocumentPublished: () => lastDocumentPublished(context),
    publishDocument: (document, options) => publishDocument(context, document, options),
    consumeDocuments: (teacher, options) => consumeDocuments(context, teacher, options),
    publishDistribution: (teacher, document, bytes, options) =>
      publishDistribution(context, { teacher, document, bytes }, options),
    readDocuments: ({ from, signal }) => readDocuments(context, from, signal),
    readDistributions: (teacher, { afterPosition, signal }) =>
      readInOrder(
        context,
        {
          stream: names.distributionsStream,
          subject: distributionsSubject(names, teacher),
          fromPosition: afterPosition + 1,
        },
        signal,
      ),
    storeDeadLetter: (letter, { signal }) => storeDeadLetter(context, letter, signal),
    look: (teachers) => lookAtStreams(context, teachers),
    releaseDocuments: (before) =>
      purgeStream(context, names.documentsStream, names.documentsSubject, positionOfDocument(before) - 1),
    releaseDistributions: (teacher, upToPosition) =>
      purgeStream(context, names.distributionsStream, distributionsSubject(names, teacher), upToPosition),
    remove: () => removeStreams(context),
  };
}
