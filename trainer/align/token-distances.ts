import { EditDistance } from './edit-distance.ts';
import { type PackedStrings, packStrings, respelledStrings, type TokenStrings } from './token-strings.ts';

/** What it costs to match each of m tokens of a source with each of n tokens of the target: whole numbers. */
export interface MatchCosts {
  /** m. */
  readonly sources: number;
  /** n. */
  readonly targets: number;
  of(source: number, target: number): number;
  /** Cheap to know: what {@link of} is no less than. */
  atLeast(source: number, target: number): number;
}

/**
 * Edit distances between the tokens of two tokenizations, by their strings without space marks. That of each
 * pair of ids is worked out when it is first asked for, once a text.
 */
export class TokenDistances {
  readonly #source: SideOfPair;
  readonly #target: SideOfPair;
  readonly #distance = new EditDistance();
  /** [distinct source ids × distinct target ids] −1 where not yet known; room for further texts. */
  #known = new Int32Array(0);

  constructor(target: TokenStrings, source: TokenStrings) {
    this.#source = sideOfPair(source);
    this.#target = sideOfPair(target);
  }

  /**
   * @param targetIds [n] ids of the target's vocabulary
   * @param sourceIds [m] ids of the source's vocabulary
   * @returns costs that hold until the next call
   */
  between(targetIds: Int32Array, sourceIds: Int32Array): MatchCosts {
    const source = textTokens(this.#source, sourceIds);
    const target = textTokens(this.#target, targetIds);
    const distinctTargets = target.distinct.length;
    const pairs = source.distinct.length * distinctTargets;
    if (pairs > this.#known.length) this.#known = new Int32Array(2 * pairs);
    const known = this.#known.fill(-1, 0, pairs);

    const distance = this.#distance;
    const { points: sourcePoints, offsets: sourceOffsets } = this.#source.strings;
    const { points: targetPoints, offsets: targetOffsets } = this.#target.strings;
    let pattern = -1;
    const workOut = (sourceNumber: number, targetNumber: number): number => {
      if (pattern !== sourceNumber) {
        pattern = sourceNumber;
        const id = source.distinct[pattern];
        distance.start(sourcePoints, sourceOffsets[id], sourceOffsets[id + 1]);
      }
      const id = target.distinct[targetNumber];
      return distance.to(targetPoints, targetOffsets[id], targetOffsets[id + 1]);
    };
    return {
      sources: sourceIds.length,
      targets: targetIds.length,
      of: (i, j) => {
        const pair = source.numbers[i] * distinctTargets + target.numbers[j];
        if (known[pair] === -1) known[pair] = workOut(source.numbers[i], target.numbers[j]);
        return known[pair];
      },
      atLeast: (i, j) => Math.abs(source.lengths[i] - target.lengths[j]),
    };
  }
}

/** One of the two tokenizers. */
interface SideOfPair {
  /** The vocabulary's strings without space marks. */
  readonly strings: PackedStrings;
  /** [vocabulary] scratch: number of each id in a text; −1 for ids that it does not have. */
  readonly numberOf: Int32Array;
}

function sideOfPair(tokens: TokenStrings): SideOfPair {
  return {
    strings: packStrings(respelledStrings(tokens, '')),
    numberOf: new Int32Array(tokens.vocabularySize).fill(-1),
  };
}

/** A text's tokens by numbers that have no gaps. */
interface TextTokens {
  /** [n] number of each token's id. */
  readonly numbers: Int32Array;
  /** [n] code points of each token. */
  readonly lengths: Int32Array;
  /** Ids by their numbers. */
  readonly distinct: readonly number[];
}

function textTokens({ strings: { offsets }, numberOf }: SideOfPair, ids: Int32Array): TextTokens {
  const numbers = new Int32Array(ids.length);
  const lengths = new Int32Array(ids.length);
  const distinct: number[] = [];
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i];
    if (numberOf[id] === -1) numberOf[id] = distinct.push(id) - 1;
    numbers[i] = numberOf[id];
    lengths[i] = offsets[id + 1] - offsets[id];
  }
  for (const id of distinct) numberOf[id] = -1;
  return { numbers, lengths, distinct };
}
