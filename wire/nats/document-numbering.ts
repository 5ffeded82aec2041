/**
 * How positions in the documents' stream and numbers of documents belong together: documents follow the manifest
 * without gaps. Usually the manifest is message 1, followed by document 0. Where the stream or the manifest was lost,
 * it was published again before the first document that may still be needed.
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
