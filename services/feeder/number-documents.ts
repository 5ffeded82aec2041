import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { shuffle, uniformNumbers } from '../../numbers/random.ts';
import type { LabelledText } from '../../texts/read-texts.ts';
import {
  type CorpusManifest,
  CorpusManifestSchema,
  type Document,
  DocumentSchema,
} from '../../wire/generated/fusemesh/v1/corpus_pb.ts';

/**
 * Numbers pieces of text as the documents of a run, in an order that the seed fixes: neighbours in a text are no
 * neighbours in a batch, and no text has the small learning rate of the end to itself.
 */
export function numberDocuments(pieces: readonly LabelledText[], seed: number): Document[] {
  return documentOrder(pieces.length, seed).map((piece, number) =>
    create(DocumentSchema, { number: BigInt(number), ...pieces[piece] }),
  );
}

/** The indices of so many pieces, in the order in which a seed takes them. */
export function documentOrder(pieces: number, seed: number): number[] {
  const order = Array.from({ length: pieces }, (_, piece) => piece);
  shuffle(order, uniformNumbers(seed));
  return order;
}

/** What is to be known of the documents of a run before the first of them. */
export function manifestOf(documents: readonly Document[], contextLength: number): CorpusManifest {
  const hash = createHash('sha256');
  let textBytes = 0;
  for (const { domain, text } of documents) {
    const bytes = Buffer.from(text);
    textBytes += bytes.length;
    // With their lengths, so that no two corpora look alike.
    hash.update(`${domain.length} ${bytes.length} ${domain}`).update(bytes);
  }
  return create(CorpusManifestSchema, {
    documents: BigInt(documents.length),
    textBytes: BigInt(textBytes),
    sha256: new Uint8Array(hash.digest()),
    contextLength,
  });
}
