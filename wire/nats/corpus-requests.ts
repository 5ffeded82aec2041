import { headers, type Msg } from 'nats';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { documentFromBytes, documentToBytes } from '../codec/document-bytes.ts';
import type { Document } from '../generated/fusemesh/v1/corpus_pb.ts';
import { isUnanswered, natsFailure } from './failure.ts';
import { partsPlace, type RunContext } from './names.ts';
import { sentBeside, wholeBytes } from './parts.ts';
import type { DocumentContent } from './read-documents.ts';

/** Header that identifies the corpus: SHA-256 over its documents, in hexadecimal. */
const corpusHeader = 'Fusemesh-Corpus';
/** Queue group, so that only one of several feeders answers. */
const feeders = 'feeders';
const answerWithin = 2_000;

/** What a feeder says about a document: the document, or that it is not published yet; or there is no feeder. */
export type CorpusAnswer = GivenDocument | 'not published' | 'no feeder';

/** A document as a feeder gave it. */
export interface GivenDocument extends DocumentContent {
  readonly number: number;
  /** The message that it came in. */
  readonly bytes: Uint8Array;
}

/** What a feeder answers with. */
export interface CorpusShelf {
  /** SHA-256 over all documents, hexadecimal. */
  readonly corpus: string;
  /** A document that is published; undefined for one that is not yet. */
  published(number: number): Document | undefined | Promise<Document | undefined>;
  /** Called when the trainer needs no more documents. */
  runOver(): void;
}

/** Answers requests for missing documents until the connection is closed. */
export function answerCorpusRequests(context: RunContext, shelf: CorpusShelf): void {
  const { connection, names } = context;
  const answer = async (request: Msg) => {
    const isOurs = request.headers?.get(corpusHeader) === shelf.corpus;
    const document = isOurs ? await shelf.published(Number(request.string())) : undefined;
    const own = headers();
    own.set(corpusHeader, shelf.corpus);
    const within = { signal: AbortSignal.timeout(answerWithin) };
    const bytes =
      document &&
      (await sentBeside(
        context,
        documentToBytes(document),
        partsPlace(names, Number(document.number)),
        own,
        within,
      ));
    request.respond(bytes, { headers: own });
  };
  connection.raw.subscribe(names.corpusGetSubject, {
    queue: feeders,
    // Whoever gets no answer asks again.
    callback: (error, request) => error ?? void answer(request).catch(() => {}),
  });
  connection.raw.subscribe(names.corpusOverSubject, {
    callback: (error, request) => {
      if (error) return;
      request.respond();
      shelf.runOver();
    },
  });
}

/**
 * Asks the feeders for a document that is missing in the stream.
 *
 * @param corpus SHA-256 over all documents, hexadecimal
 * @throws FuseMeshError already_exists when a feeder has another corpus, data_loss when its answer cannot be used
 */
export async function requestDocument(
  context: RunContext,
  corpus: string,
  number: number,
): Promise<CorpusAnswer> {
  const { connection, names } = context;
  const asking = headers();
  asking.set(corpusHeader, corpus);
  try {
    const options = { timeout: answerWithin, headers: asking };
    const answer = await connection.raw.request(names.corpusGetSubject, String(number), options);
    if (answer.headers?.get(corpusHeader) !== corpus) {
      throw new FuseMeshError(
        'already_exists',
        `The feeder of run ${names.run} has another corpus than the run: feed the texts that the run began with, or begin again with --fresh.`,
      );
    }
    const bytes = await wholeBytes(context, names.partsStream, answer, AbortSignal.timeout(answerWithin));
    if (bytes === undefined || bytes.length === 0) return 'not published';
    const { text, turns, tools, rollout } = documentFromBytes(bytes, number);
    return { number, text, turns, tools, ...(rollout && { rollout }), bytes };
  } catch (error) {
    if (isUnanswered(error)) return 'no feeder';
    throw natsFailure(error, `ask for document ${number}`, connection.url);
  }
}

/** Tells the feeders that they may end; does nothing where there are none. */
export async function tellRunOver({ connection, names }: RunContext): Promise<void> {
  await connection.raw.request(names.corpusOverSubject, '', { timeout: answerWithin }).catch(() => {});
}
