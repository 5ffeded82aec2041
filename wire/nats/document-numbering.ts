/**
 * Where a documents' stream begins to count: its manifest, which the documents follow without gaps. Usually it
 * is message 1 and followed by document 0. Where the stream or the manifest was lost, the manifest that was
 * published again comes before the first document that may still be needed.
 */
export interface Numbering {
  /** Position of the manifest. */
  readonly manifestPosition: number;
  /** Number of the document behind it. */
  readonly first: number;
}

export function positionOfDocument(number: number, { manifestPosition, first }: Numbering): number {
  return manifestPosition + 1 + number - first;
}

export function documentAtPosition(position: number, { manifestPosition, first }: Numbering): number {
  return first + position - manifestPosition - 1;
}
