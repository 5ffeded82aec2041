import { createHash } from 'node:crypto';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import type { FusedBatch } from '../fusion/batch/batches.ts';
import type { JoinedDocument } from '../fusion/batch/joined-document.ts';
import type { RunConfig } from '../process/config/schema.ts';
import type { Log } from '../process/log/log.ts';
import type { JoinObserver } from './intake/join/join-documents.ts';
import type { Stretch } from './passes.ts';
import { type BatchSettings, recordedBatches } from './pipeline.ts';
import { epochOrder } from './recording/epoch-order.ts';
import { recordedDocuments } from './recording/recorded-documents.ts';
import { Recording } from './recording/recording.ts';
import type { RunCorpus } from './run-corpus.ts';

/** How a recording is trained on. */
export interface RecordedTraining extends BatchSettings {
  readonly seed: number;
  readonly topK: number;
  readonly topP: number;
  readonly epochs: number;
  readonly metrics: Pick<JoinObserver, 'joined' | 'joinedWithout'>;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Batches of a recording.
 *
 * @param stretches in the order in which they are taken
 */
export async function* batchesOfRecording(
  recording: Recording,
  stretches: readonly Stretch[],
  training: RecordedTraining,
): AsyncGenerator<FusedBatch> {
  const { seed, topK, topP, epochs, metrics, signal, log } = training;
  const { sources, facts } = recording;
  const batchesOf = await recordedBatches({
    ...training,
    sources,
    passOver: async ({ number }, reason) => {
      log.warn({ document: number }, `Document ${number} is passed over: ${reason}`);
    },
  });
  for (const { epoch, begin, end } of stretches) {
    if (signal.aborted) return;
    if (epochs > 1)
      log.info({ epoch: epoch + 1 }, `Epoch ${epoch + 1} of ${epochs} is read from ${recording.directory}`);
    const order = epochOrder(facts.documents, { seed, epoch, numberedBy: facts.seed });
    const documents = recordedDocuments(recording, {
      numbers: order.subarray(begin, end),
      topK,
      topP,
      signal,
    });
    const names = sources.map(({ name }) => name);
    yield* batchesOf(observed(documents, names, metrics));
  }
}

async function* observed(
  documents: AsyncIterable<JoinedDocument>,
  sources: readonly string[],
  metrics: RecordedTraining['metrics'],
): AsyncGenerator<JoinedDocument> {
  for await (const document of documents) {
    metrics.joined();
    const absent =
      document.unusable !== undefined
        ? []
        : sources.filter((_, s) => document.distributions[s] === undefined);
    for (const name of absent) metrics.joinedWithout(name);
    yield document;
  }
}

/**
 * The corpus of a run that trains from a recording: neither feeder, teachers nor NATS are there.
 *
 * @param names of the sources that teach
 * @throws FuseMeshError not_found or failed_precondition where the recording is not there, not finished, or not what the
 *   run file asks for
 */
export async function openRecordedCorpus(
  directory: string,
  names: readonly string[],
  config: Pick<RunConfig, 'contextLength' | 'seed' | 'topK' | 'topP'>,
  training: RecordedTraining,
): Promise<RunCorpus> {
  const recording = await Recording.open(directory, names);
  try {
    refuseUnfit(recording, config);
  } catch (error) {
    await recording.close();
    throw error;
  }
  const { facts, sources } = recording;
  const encoders = sources.flatMap(({ encoder }) => encoder ?? []);
  return {
    describe: async () => ({ documents: facts.documents, sha256: corpusSha256(recording, config.seed) }),
    batches: async (stretches) => ({
      encoders,
      batches: batchesOfRecording(recording, stretches, training),
      keep: async () => undefined,
      cover: async () => undefined,
      close: async () => undefined,
    }),
    over: async () => undefined,
    close: () => recording.close(),
  };
}

/** With the seed of the recorded run, that of the run itself: its checkpoints are of the same order of documents. */
const corpusSha256 = ({ facts: { corpusSha256, seed: recorded } }: Recording, seed: number): string =>
  seed === recorded
    ? corpusSha256
    : createHash('sha256').update(`${corpusSha256} seed ${seed}\n`).digest('hex');

function refuseUnfit(
  { directory, facts }: Recording,
  { topK, topP, contextLength }: Pick<RunConfig, 'topK' | 'topP' | 'contextLength'>,
): void {
  const refuse = (problem: string): never => {
    throw new FuseMeshError('invalid_argument', `${problem} in the recording ${directory}`);
  };
  if (topK > facts.topK) {
    refuse(`topK is ${topK}: set it to ${facts.topK} or less, the candidates that every token has`);
  }
  if (facts.topP !== undefined && topP > facts.topP) {
    refuse(`topP is ${topP}: set it to ${facts.topP} or less, the share of their mass that is`);
  }
  if (contextLength < facts.contextLength) {
    refuse(`contextLength is ${contextLength}: set it to ${facts.contextLength} or more, for the documents`);
  }
}
