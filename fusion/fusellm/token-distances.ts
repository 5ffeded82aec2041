import { EditDistance, symbolSet } from './edit-distance.ts';
import { type PackedStrings, packStrings, respelledStrings, type TokenStrings } from './token-strings.ts';

/**
 * What it costs to match each of m tokens of a source with each of n tokens of the target: whole numbers, one
 * for each pair of their kinds. Plain arrays, as a cost is looked up for every cell of a table.
 */
export interface MatchCosts {
  /** [m] kind of each source token. */
  readonly sourceKinds: Int32Array;
  /** [n] kind of each target token. */
  readonly targetKinds: Int32Array;
  /** How many kinds of target tokens there are. */
  readonly kindsOfTargets: number;
  /** [kinds of source tokens × kinds of target tokens] costs; -1 where not yet worked out. */
  readonly known: Int32Array;
  /** [kinds of source tokens] how much of the text each stands for, in any unit that both sides share. */
  readonly sourceLengths: Int32Array;
  /** [kinds of target tokens] the same. */
  readonly targetLengths: Int32Array;
  /** [kinds of source tokens] what each costs at least, whatever target it is matched with. */
  readonly sourceFloors: Int32Array;
  /** [kinds of target tokens] what each costs at least, whatever source it is matched with. */
  readonly targetFloors: Int32Array;
  /** The cost of a pair of kinds, which is known from then on. */
  workOut(sourceKind: number, targetKind: number): number;
}

/**
 * Edit distances between the tokens of two tokenizations, by their strings without space marks. The distance of
 * a pair of ids is worked out when it is first asked for, once a text.
 */
export class TokenDistances {
  readonly #source: SideOfPair;
  readonly #target: SideOfPair;
  readonly #distance = new EditDistance();
  /** Room for the costs of one text. */
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
    const source = kindsOfText(this.#source, sourceIds);
    const target = kindsOfText(this.#target, targetIds);
    const kindsOfTargets = target.sets.length;
    const pairs = source.sets.length * kindsOfTargets;
    if (pairs > this.#known.length) this.#known = new Int32Array(2 * pairs);
    const known = this.#known.fill(-1, 0, pairs);

    const distance = this.#distance;
    const sourcePoints = this.#source.strings.points;
    const targetPoints = this.#target.strings.points;
    let pattern = -1;
    const workOut = (sourceKind: number, targetKind: number): number => {
      let cost: number;
      if ((source.sets[sourceKind] & target.sets[targetKind]) === 0) {
        // Without a code point in common, nothing of the longer one can stay.
        cost = Math.max(source.lengths[sourceKind], target.lengths[targetKind]);
      } else {
        if (pattern !== sourceKind) {
          pattern = sourceKind;
          const begin = source.begins[sourceKind];
          distance.start(sourcePoints, begin, begin + source.lengths[sourceKind]);
        }
        const begin = target.begins[targetKind];
        cost = distance.to(targetPoints, begin, begin + target.lengths[targetKind]);
      }
      known[sourceKind * kindsOfTargets + targetKind] = cost;
      return cost;
    };
    return {
      sourceKinds: source.kinds,
      targetKinds: target.kinds,
      kindsOfTargets,
      known,
      sourceLengths: source.bytes,
      targetLengths: target.bytes,
      sourceFloors: leastCosts(source, target),
      targetFloors: leastCosts(target, source),
      workOut,
    };
  }
}

/** One of the two tokenizers. */
interface SideOfPair {
  /** The vocabulary's strings without space marks. */
  readonly strings: PackedStrings;
  /** [vocabulary] UTF-8 bytes of text that each stands for, spaces not counted; special tokens as they are. */
  readonly bytes: Int32Array;
  /** [vocabulary] scratch: kind of each id in a text; -1 for ids that it does not have. */
  readonly kindOf: Int32Array;
}

function sideOfPair(tokens: TokenStrings): SideOfPair {
  const strings = respelledStrings(tokens, '');
  // Byte-level vocabularies write a character a byte, others <0xAB> for a byte that is no token.
  const bytesOf = (string: string) => {
    if (tokens.spaceMark === 'Ġ') return string.length;
    return /^<0x[0-9A-F]{2}>$/.test(string) ? 1 : Buffer.byteLength(string);
  };
  return {
    strings: packStrings(strings),
    bytes: Int32Array.from(strings, (string) => bytesOf(string ?? '')),
    kindOf: new Int32Array(tokens.vocabularySize).fill(-1),
  };
}

/** A text's tokens by kind: each id that it has is one. */
interface KindsOfText {
  /** [n] kind of each token. */
  readonly kinds: Int32Array;
  /** [kinds] where each string begins, its length in code points and in bytes, its {@link symbolSet}. */
  readonly begins: Int32Array;
  readonly lengths: Int32Array;
  readonly bytes: Int32Array;
  readonly sets: Int32Array;
}

function kindsOfText(side: SideOfPair, textIds: Int32Array): KindsOfText {
  const { kindOf } = side;
  const { points, offsets } = side.strings;
  const ids: number[] = [];
  const kinds = new Int32Array(textIds.length);
  for (let i = 0; i < textIds.length; i++) {
    const id = textIds[i];
    if (kindOf[id] === -1) kindOf[id] = ids.push(id) - 1;
    kinds[i] = kindOf[id];
  }
  const begins = new Int32Array(ids.length);
  const lengths = new Int32Array(ids.length);
  const bytes = new Int32Array(ids.length);
  const sets = new Int32Array(ids.length);
  for (let kind = 0; kind < ids.length; kind++) {
    const id = ids[kind];
    kindOf[id] = -1;
    begins[kind] = offsets[id];
    lengths[kind] = offsets[id + 1] - offsets[id];
    bytes[kind] = side.bytes[id];
    sets[kind] = symbolSet(points, offsets[id], offsets[id + 1]);
  }
  return { kinds, begins, lengths, bytes, sets };
}

/** For each kind of one side 1 where no string of the other side can be equal to it, else 0. */
function leastCosts(one: KindsOfText, other: KindsOfText): Int32Array {
  const summary = ({ lengths, sets }: KindsOfText, kind: number) => lengths[kind] * 2 ** 32 + sets[kind];
  const others = new Set<number>();
  for (let kind = 0; kind < other.sets.length; kind++) others.add(summary(other, kind));
  return one.sets.map((_, kind) => (others.has(summary(one, kind)) ? 0 : 1));
}
