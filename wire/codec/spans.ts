/** Spans as they travel: where each token begins after the end of the one before it, and how long it is. */
export interface PackedSpans {
  /** Empty when every token begins where the one before it ended. */
  readonly gaps: number[];
  readonly lengths: number[];
}

export function packSpans(starts: Int32Array, ends: Int32Array): PackedSpans {
  const gaps = new Array<number>(starts.length);
  const lengths = new Array<number>(starts.length);
  let tiles = true;
  for (let i = 0, lastEnd = 0; i < starts.length; i++) {
    gaps[i] = starts[i] - lastEnd;
    lengths[i] = ends[i] - starts[i];
    lastEnd = ends[i];
    tiles &&= gaps[i] === 0;
  }
  return { gaps: tiles ? [] : gaps, lengths };
}

export function unpackSpans({ gaps, lengths }: PackedSpans): {
  starts: Int32Array<ArrayBuffer>;
  ends: Int32Array<ArrayBuffer>;
} {
  const starts = new Int32Array(lengths.length);
  const ends = new Int32Array(lengths.length);
  const tiles = gaps.length === 0;
  for (let i = 0, lastEnd = 0; i < lengths.length; i++) {
    starts[i] = tiles ? lastEnd : lastEnd + gaps[i];
    ends[i] = starts[i] + lengths[i];
    lastEnd = ends[i];
  }
  return { starts, ends };
}
