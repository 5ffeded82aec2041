import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { JoinedDocument } from '../../fusion/batch/joined-document.ts';
import { presentSources } from '../../fusion/batch/joined-document.ts';
import { contentEnd } from '../../model/chat/content-layout.ts';
import { contentOf } from '../../model/chat/conversation.ts';
import { distributionCheck, unfitFor } from '../../wire/codec/check-distribution.ts';
import { distributionFromBytes, distributionToBytes } from '../../wire/codec/distribution-bytes.ts';
import { documentFromBytes } from '../../wire/codec/document-bytes.ts';
import type { TextDistribution } from '../../wire/codec/text-distribution.ts';
import { refusalAmong } from '../intake/join/join-documents.ts';
import { cutDistribution } from './cut-distribution.ts';
import type { RecordedSource, Recording } from './recording.ts';
import type { RecordingFacts } from './recording-facts.ts';

/** Which documents of a recording are read, and how. */
export interface RecordedReading {
  /** In the order in which they are given. */
  readonly numbers: Iterable<number>;
  /** Candidates of a row, those of the recording at most. */
  readonly topK: number;
  /** The share of their mass that is read, that of the recording at most; left out, it is that of the recording. */
  readonly topP?: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Documents of a recording with what its sources say about them, as the join of a live run gives them. Ends early when
 * aborted.
 *
 * @throws FuseMeshError data_loss where a record is damaged, or is not what the trainer takes from a stream
 */
export async function* recordedDocuments(
  recording: Recording,
  { numbers, signal, ...kept }: RecordedReading,
): AsyncGenerator<JoinedDocument> {
  const read = recording.sources.map((source) => distributionReader(source, recording.facts, kept));
  for (const number of numbers) {
    if (signal.aborted) return;
    const [bytes, ...distributions] = await Promise.all([
      recording.read(number),
      ...read.map((one) => one(number)),
    ]);
    if (bytes === undefined) {
      yield { number, unusable: 'it could not be used when it was recorded', present: undefined };
      continue;
    }
    const document = documentFromBytes(bytes, number);
    const content = contentOf(document);
    const { rollout } = document;
    const end = contentEnd(content);
    for (const distribution of distributions) {
      const unfit = distribution && unfitFor(distribution, end);
      if (unfit !== undefined) throw otherText(recording, number, distribution!.teacher, unfit);
    }
    const unusable = refusalAmong(distributions);
    yield unusable === undefined
      ? { number, content, distributions, rollout }
      : { number, unusable, present: presentSources(distributions), rollout };
  }
}

/** Reads what one source says about a document, checks it as the live intake does, and cuts it. */
function distributionReader(
  { name, model, encoder, read }: RecordedSource,
  facts: RecordingFacts,
  { topK, topP }: Pick<RecordedReading, 'topK' | 'topP'>,
): (number: number) => Promise<TextDistribution | undefined> {
  if (model === undefined || encoder === undefined) return async () => undefined;
  const { tokenizer } = encoder;
  const check = distributionCheck({
    teacher: name,
    documents: facts.documents,
    fingerprint: tokenizer.fingerprint,
    tokens: tokenizer.vocabularySize,
    candidates: model.vocabularySize,
  });
  return async (number) => {
    const bytes = await read(number);
    if (bytes === undefined) return undefined;
    const distribution = distributionFromBytes(bytes);
    check(distribution);
    if (distribution.document === number) {
      const cut = cutDistribution(distribution, topK);
      const same = topP === undefined || (topP === facts.topP && topK === facts.topK);
      return same ? cut : distributionFromBytes(distributionToBytes(cut, model.vocabularySize, topP));
    }
    throw new FuseMeshError(
      'data_loss',
      `What ${name} says about document ${number} is recorded as about ${distribution.document}: record the corpus again.`,
    );
  };
}

const otherText = ({ directory }: Recording, number: number, teacher: string, unfit: string): FuseMeshError =>
  new FuseMeshError(
    'data_loss',
    `${directory}: what ${teacher} says about document ${number} is not of its text: ${unfit}: record the corpus again.`,
  );
