import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import {
  type CorpusManifest,
  CorpusManifestSchema,
  type Document,
  DocumentSchema,
} from '../../mesh/generated/fusemesh/v1/corpus_pb.ts';
import type { LabelledText } from '../../texts/read-texts.ts';

/**
 * Numbers pieces of text as the documents of a run, the domains mixed in the proportion of their sizes, so
 * that every stretch of the corpus has something of each. The same pieces give the same documents.
 */
export function mixDomains(pieces: readonly LabelledText[]): Document[] {
  const names = [...new Set(pieces.map(({ domain }) => domain))];
  const domains = names.map((name) => ({ own: pieces.filter(({ domain }) => domain === name), taken: 0 }));
  return pieces.map((_, number) => {
    const next = domains.reduce((least, each) => (shareTaken(each) < shareTaken(least) ? each : least));
    return create(DocumentSchema, { number: BigInt(number), ...next.own[next.taken++] });
  });
}

function shareTaken({ own, taken }: { own: readonly unknown[]; taken: number }): number {
  return (taken + 0.5) / own.length;
}

/** What is to be known of a corpus before its first document. */
export function describeCorpus(documents: readonly Document[], contextLength: number): CorpusManifest {
  const hash = createHash('sha256');
  let textBytes = 0;
  for (const { domain, text } of documents) {
    const bytes = Buffer.from(text);
    textBytes += bytes.length;
    // Lengths go in too, so that no two corpora look alike.
    hash.update(`${domain.length} ${bytes.length} ${domain}`).update(bytes);
  }
  return create(CorpusManifestSchema, {
    documents: BigInt(documents.length),
    textBytes: BigInt(textBytes),
    sha256: new Uint8Array(hash.digest()),
    contextLength,
  });
}
