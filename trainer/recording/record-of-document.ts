import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { distributionToBytes } from '../../wire/codec/distribution-bytes.ts';
import type { CorpusManifest } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { JoinedParts } from '../intake/join/join-documents.ts';
import type { Source } from '../intake/sources/source.ts';
import type { RecordedModel, RecordingFacts } from './recording-facts.ts';
import type { DocumentRecord } from './recording-writer.ts';

/** What a recording of a run is of. */
export const factsOf = (
  { documents, textBytes, sha256, contextLength }: CorpusManifest,
  { topK, topP, seed }: Pick<RecordingFacts, 'topK' | 'topP' | 'seed'>,
): RecordingFacts => ({
  corpusSha256: hex(sha256),
  documents: Number(documents),
  textBytes: Number(textBytes),
  contextLength,
  topK,
  topP,
  seed,
});

export const modelOf = (
  { vocabularySize, identity, chatFormat: { template, specialTokens } }: Source,
  { fingerprint }: Tokenizer,
): RecordedModel => ({
  tokenizerSha256: hex(fingerprint),
  vocabularySize,
  modelFingerprint: identity?.modelFingerprint ?? null,
  chatFormat: { template, specialTokens },
});

/**
 * A joined document as it is recorded. What a source answered directly, and not by a message, becomes that message: no
 * candidate is left out a second time.
 *
 * @param sources in the order of the distributions
 */
export const recordOfDocument = (
  { document, distributions }: JoinedParts,
  sources: readonly Pick<Source, 'vocabularySize'>[],
): DocumentRecord => ({
  document,
  distributions: distributions.map(
    (part, s) => part && (part.bytes ?? distributionToBytes(part.distribution, sources[s].vocabularySize, 1)),
  ),
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
