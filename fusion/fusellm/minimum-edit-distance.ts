import { NOT_MAPPED } from '../vocabulary/exact-map.ts';
import { EditDistance, leastDistance, symbolSet } from './edit-distance.ts';
import { packStrings, respelledStrings, type TokenStrings } from './token-strings.ts';

/**
 * Maps a source's vocabulary to the target's as FuseLLM does (arXiv 2401.10491; `find_best_mapping` of its
 * code): a token goes to the target's token of the same string once its space marks are the target's, else
 * to that of least edit distance. Of several at the same distance it takes the first by id. (FuseLLM takes the first of
 * `get_vocab()`, whose order is that of the ids for some tokenizers and chance for others.) Special tokens
 * are tokens like any other here.
 *
 * @param ids the source's ids to map; all of them unless given
 * @returns [source vocabulary] target id of each source id, or {@link NOT_MAPPED} for an id without a token
 */
export function minimumEditDistanceMap(
  source: TokenStrings,
  target: TokenStrings,
  ids: Iterable<number> = Array(source.vocabularySize).keys(),
): Int32Array<ArrayBuffer> {
  const map = new Int32Array(source.vocabularySize).fill(NOT_MAPPED);
  const strings = respelledStrings(source, target.spaceMark);
  const nearest = new NearestString(respelledStrings(target, target.spaceMark));
  for (const id of ids) {
    const string = strings[id];
    if (string !== undefined) map[id] = nearest.of(string);
  }
  return map;
}

/** The first id of each string. */
export function idsOfStrings(strings: readonly (string | undefined)[]): Map<string, number> {
  const idOf = new Map<string, number>();
  for (const [id, string] of strings.entries()) {
    if (string !== undefined && !idOf.has(string)) idOf.set(string, id);
  }
  return idOf;
}

/** Strings of one length, in the order of their ids. */
interface LengthBucket {
  readonly ids: Int32Array;
  /** [ids × length] code points. */
  readonly points: Int32Array;
  /** [ids] {@link symbolSet} of each. */
  readonly sets: Int32Array;
}

/**
 * Finds the nearest of many strings. The edit distance is no less than the difference of lengths, nor than
 * the number of kinds of code points that only one of the two has; so strings are visited by rising
 * difference of lengths until no nearer one can come, and most are passed over by their kinds alone.
 */
class NearestString {
  readonly #idOf: Map<string, number>;
  /** By length. */
  readonly #buckets: readonly LengthBucket[];
  readonly #distance = new EditDistance();

  constructor(strings: readonly (string | undefined)[]) {
    this.#idOf = idsOfStrings(strings);
    this.#buckets = bucketsByLength(this.#idOf);
  }

  /** Id of the nearest string, the least of equals; NOT_MAPPED where there are none. */
  of(string: string): number {
    const same = this.#idOf.get(string);
    if (same !== undefined) return same;
    const { points } = packStrings([string]);
    this.#distance.start(points, 0, points.length);
    const set = symbolSet(points, 0, points.length);
    const furthest = Math.max(points.length, this.#buckets.length - 1 - points.length);
    const best = { id: NOT_MAPPED, distance: Number.POSITIVE_INFINITY };
    for (let difference = 0; difference <= Math.min(furthest, best.distance); difference++) {
      this.#visit(points.length - difference, difference, set, best);
      if (difference > 0) this.#visit(points.length + difference, difference, set, best);
    }
    return best.id;
  }

  /** Looks for strings of a length that are nearer than the best, or as near with a smaller id. */
  #visit(length: number, difference: number, set: number, best: { id: number; distance: number }): void {
    const bucket = this.#buckets[length];
    if (bucket === undefined) return;
    const { ids, points, sets } = bucket;
    // The same string is not here, so that no distance is 0.
    const least = Math.max(difference, 1);
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i];
      const atMost = id < best.id || best.id === NOT_MAPPED ? best.distance : best.distance - 1;
      if (atMost < least) return;
      const other = sets[i];
      if (leastDistance(set, other) > atMost) continue;
      const found = this.#distance.to(points, i * length, (i + 1) * length, atMost);
      if (found <= atMost) {
        best.distance = found;
        best.id = id;
      }
    }
  }
}

function bucketsByLength(idOf: ReadonlyMap<string, number>): LengthBucket[] {
  const strings = [...idOf.keys()];
  const { points, offsets } = packStrings(strings);
  const members: number[][] = [];
  for (let i = 0; i < strings.length; i++) {
    const length = offsets[i + 1] - offsets[i];
    while (members.length <= length) members.push([]);
    members[length].push(i);
  }
  const ids = [...idOf.values()];
  return members.map((bucket, length) => {
    const bucketPoints = new Int32Array(bucket.length * length);
    for (const [slot, i] of bucket.entries()) {
      bucketPoints.set(points.subarray(offsets[i], offsets[i + 1]), slot * length);
    }
    return {
      ids: Int32Array.from(bucket, (i) => ids[i]),
      points: bucketPoints,
      sets: Int32Array.from(bucket, (i) => symbolSet(points, offsets[i], offsets[i + 1])),
    };
  });
}
