import { alignByBoundary, alignIdentically, NOT_ALIGNED, type TokenEnds } from './boundary.ts';

/** What a source says at a position of the target. */
export const says = {
  /** Nothing: the position is not aligned, or no token follows. */
  nothing: 0,
  /** Its candidates are for what follows here. */
  candidates: 1,
  /** Its next token is only the beginning of the target's, and further ones fill it exactly. */
  chained: 2,
  /** Its next token is only the beginning of the target's, and none ends where that does. */
  beginning: 3,
} as const;

/** How a source's tokens of a text relate to the target's n. */
export interface Alignment {
  /** [n] the source's row for each of the target's, or −1. */
  readonly rows: Int32Array;
  /** [n] one of {@link says}. */
  readonly kinds: Uint8Array;
  /** [n] natural log-probability of the target's whole next token, where it is chained. */
  readonly chainedLogProbabilities: Float32Array;
}

/** The part of a source's distributions that alignment needs. */
export interface SourceTokens {
  /** [m] */
  readonly ends: TokenEnds;
  /** [m] of each token after those before it. */
  readonly tokenLogProbabilities: Float32Array;
}

/**
 * Alignment by shared boundaries (boundary.ts), which also finds where the source splits what the
 * target keeps whole ("2|0|1" against "201"). There the source's own next token says little about the
 * target's, but along the text its steps multiply to the probability of the whole:
 * p(201) = p(2) · p(0 | 2) · p(1 | 20).
 *
 * @param targetEnds [n]
 */
export function alignBySharedBoundaries(targetEnds: TokenEnds, source: SourceTokens): Alignment {
  const { ends, tokenLogProbabilities } = source;
  const rows = alignByBoundary(targetEnds, ends);
  const kinds = new Uint8Array(rows.length);
  const chainedLogProbabilities = new Float32Array(rows.length);
  for (let position = 0; position + 1 < rows.length; position++) {
    let next = rows[position] + 1;
    if (rows[position] === NOT_ALIGNED || next >= ends.length) continue;
    const end = targetEnds[position + 1];
    // Of tokens that end at the same offset, the last alone has read what lies before it.
    const targetIsPart = targetEnds[position + 2] === end;
    const sourceIsPart = ends[next] === end && ends[next + 1] === end;
    if (ends[next] >= end && (targetIsPart || !sourceIsPart)) {
      kinds[position] = says.candidates;
      continue;
    }
    let chained = tokenLogProbabilities[next];
    while (next + 1 < ends.length && ends[next + 1] <= end) chained += tokenLogProbabilities[++next];
    if (ends[next] === end && !targetIsPart) {
      kinds[position] = says.chained;
      chainedLogProbabilities[position] = chained;
    } else kinds[position] = says.beginning;
  }
  return { rows, kinds, chainedLogProbabilities };
}

/** Alignment of n tokens with themselves, for a source that has the target's tokenizer. */
export function alignWithItself(tokens: number): Alignment {
  const kinds = new Uint8Array(tokens).fill(says.candidates);
  kinds[tokens - 1] = says.nothing;
  return { rows: alignIdentically(tokens), kinds, chainedLogProbabilities: new Float32Array(tokens) };
}
