import type { TextDistribution } from '../../../wire/codec/text-distribution.ts';
import type { Document } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';

/** Why nothing can be learnt from a document, whatever a teacher says about it; undefined where something can. */
export function whyPassedOver(document: Document): string | undefined {
  // No valid document is without text: read-documents.ts puts one in the place of a malformed one.
  return document.text === '' ? 'the document is malformed' : undefined;
}

/** The same where one of the teachers cannot score the document. */
export function whyRefused(distributions: readonly (TextDistribution | undefined)[]): string | undefined {
  const refused = distributions.find((distribution) => distribution?.refusal !== undefined);
  return refused && `teacher ${refused.teacher} cannot score it: ${refused.refusal}`;
}
