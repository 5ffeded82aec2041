import { create } from '@bufbuild/protobuf';
import { modelFingerprint } from '../../../model/model-fingerprint.ts';
import { Scorer } from '../../../model/scoring/scorer.ts';
import { RecordingWriter } from '../../../trainer/recording/recording-writer.ts';
import { documentToBytes } from '../../../wire/codec/document-bytes.ts';
import { DocumentSchema } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { Documents } from './documents.ts';
import { scoreTexts } from './score-texts.ts';

/** Candidates a token that are recorded; experiments take that many or fewer. */
export const recordedTopK = 50;

/** Documents between two saves: a whole number of a teacher's batches, so that a stop changes none of them. */
const saveEvery = 64;
/** Between two messages on progress, in milliseconds. */
const pause = 10_000;

/** A source by its name in the run, with its Hugging Face directory. */
export interface NamedModel {
  readonly name: string;
  readonly model: string;
}

/**
 * Records what a source says about texts, as a recording of one source; a call after one that was stopped goes on.
 *
 * @param say called from time to time with a message on progress
 * @returns documents that were scored
 */
export async function recordSource(
  { name, model }: NamedModel,
  { texts, sha256, contextLength }: Omit<Documents, 'domains'>,
  {
    directory,
    say,
    signal,
  }: { readonly directory: string; readonly say: (message: string) => void; readonly signal: AbortSignal },
): Promise<number> {
  const documents = texts.length;
  const textBytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const facts = { corpusSha256: sha256, documents, textBytes, contextLength, topK: recordedTopK, seed: 0 };
  const writer = await RecordingWriter.open(directory, { facts, sources: [name] });
  const first = writer.recorded;
  try {
    if (first === documents) return 0;
    const scorer = await Scorer.load(model, { topK: recordedTopK, threads: 1 });
    try {
      const { tokenizer, card, template } = scorer;
      const recorded = {
        tokenizerSha256: hex(tokenizer.fingerprint),
        vocabularySize: card.vocabularySize,
        modelFingerprint: hex(await modelFingerprint(model)),
        chatFormat: template.format,
      };
      await writer.hears(name, recorded, tokenizer.json);
      const scored = scoreTexts(scorer, name, texts.slice(first), { topK: recordedTopK, signal, first });
      const began = performance.now();
      let said = began;
      for await (const bytes of scored) {
        const number = writer.appended;
        const document = create(DocumentSchema, { number: BigInt(number), text: texts[number] });
        await writer.append({ document: documentToBytes(document), distributions: [bytes] });
        if (writer.appended % saveEvery === 0) await writer.save();
        const now = performance.now();
        if (now - said < pause) continue;
        said = now;
        const done = writer.appended;
        const minutes = ((now - began) / 60_000 / (done - first)) * (documents - done);
        say(`${done} of ${documents} documents scored, ${minutes.toFixed(0)} minutes left`);
      }
      await writer.save();
      return documents - first;
    } finally {
      await scorer.close();
    }
  } finally {
    await writer.close();
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
