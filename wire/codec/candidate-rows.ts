import { bitsFor } from './bit-packing.ts';
import { BitReader, BitWriter } from './bits.ts';
import type { TextDistribution } from './text-distribution.ts';

type Columns = Pick<TextDistribution, 'topK' | 'candidateIds' | 'logProbabilities'>;

const levelsPerNat = 8;
const levelBits = 8;
const deepestLevel = 2 ** levelBits - 1;
/** Bits in which a row says the parameter of Rice's code for its ids, and for its levels. */
const [idParameterBits, levelParameterBits] = [5, 3];
const mostIdBits = 24;
/** By which an id stands before its level, to be sorted with it. */
const levelsOfId = 2 ** levelBits;
/** Above so many numbers the engine's own sort is faster than one by insertion. */
const mostInserted = 24;
/** Up to so many candidates it is faster to insert one after another than to count how many have each level. */
const fewCandidates = 12;
/** The least kept mass that the wire's unit can say. */
const leastMass = 1 / 65535;
/** What keeps the sum of a row, whatever rounding adds to it, at or below its mass. */
const shy = Math.log1p(-(2 ** -20));

/** [level] e to the power of −level / 8. */
const powers = Float64Array.from({ length: deepestLevel + 1 }, (_, level) => Math.exp(-level / levelsPerNat));

/** Rows of candidates on the wire. */
export interface PackedRows {
  /** As proto/fusemesh/v1/distribution.proto has it. */
  readonly candidates: Uint8Array<ArrayBuffer>;
  /** [n] probability mass that the candidates sent hold, 0 to 1; 0 for a row that is not one of falling numbers. */
  readonly keptMass: Float32Array;
}

/**
 * Packs of each row the fewest candidates that hold a share of the mass of all that it has. Their ids are sorted and sent
 * as differences, their log-probabilities in 8 bits: eighths of a nat below that of the likeliest, up to 31.9 nats; less
 * likely ones are left out too. What is left out is missing from the kept mass, so the tail stays true.
 *
 * A log-probability comes back at most 1/8 nat away from what it was, half of it by rounding and at most as much by making
 * the row's sum the kept mass again, which itself is exact to 1/131070. What has come back is packed to the same bytes again.
 *
 * @param topP share of the mass of a row's candidates, above 0 up to 1
 * @param idBits bits that hold every id, 24 at most
 * @throws RangeError where an id does not fit, or stands twice in a row
 */
export function packRows(
  { topK, candidateIds, logProbabilities }: Columns,
  topP: number,
  idBits: number,
): PackedRows {
  if (idBits > mostIdBits) throw new RangeError(`ids have ${idBits} bits, more than ${mostIdBits}`);
  const n = candidateIds.length / topK;
  const limit = 2 ** idBits;
  const keptMass = new Float32Array(n);
  const countBits = bitsFor(topK);
  const headBits = countBits + idParameterBits + levelParameterBits + levelBits;
  // With the parameters below, Rice's codes take on average less than 3.4 bits more than the widest of the numbers has.
  const writer = new BitWriter(Math.ceil((n * (headBits + topK * (idBits + levelBits + 7))) / 8));
  const probabilities = new Float64Array(topK);
  const sorted = new Uint32Array(topK);
  const gaps = new Int32Array(topK);
  const rises = new Int32Array(topK);
  for (let row = 0, begin = 0; row < n; row++, begin += topK) {
    const kept = keepMost(logProbabilities, begin, topP, probabilities);
    const count = Math.max(1, kept);
    const first = logProbabilities[begin];
    let mass = 0;
    let deepest = 0;
    let levels = 0;
    for (let i = 0; i < count; i++) {
      const id = candidateIds[begin + i];
      if (id < 0 || id >= limit) throw new RangeError(`${id} does not fit into ${idBits} bits`);
      if (kept > 0) deepest = ((first - logProbabilities[begin + i]) * levelsPerNat + 0.5) | 0;
      mass += probabilities[i];
      levels += deepest;
      sorted[i] = id * levelsOfId + deepest;
    }
    keptMass[row] = kept === 0 ? 0 : Math.min(1, Math.max(leastMass, mass));
    sort(sorted, count);
    let before = -1;
    for (let i = 0; i < count; i++) {
      const id = sorted[i] >>> levelBits;
      if (id === before) throw new RangeError(`${id} stands twice in a row of candidates`);
      gaps[i] = id - before - 1;
      rises[i] = deepest - (sorted[i] & deepestLevel);
      before = id;
    }
    const idParameter = riceParameter((before + 1) / count - 1);
    const levelParameter = riceParameter(deepest - levels / count);
    writer.write(count - 1, countBits);
    writer.write(idParameter | (levelParameter << idParameterBits), idParameterBits + levelParameterBits);
    writer.write(deepest, levelBits);
    writer.writeRice(gaps, count, idParameter);
    writer.writeRice(rises, count, levelParameter);
  }
  return { candidates: writer.finish(), keptMass };
}

/**
 * How many candidates of a row are sent; 0 where they are not finite and falling.
 *
 * @param probabilities [k] is given theirs
 */
function keepMost(
  logProbabilities: Float32Array,
  begin: number,
  topP: number,
  probabilities: Float64Array,
): number {
  const first = logProbabilities[begin];
  let all = 0;
  let before = Number.MAX_VALUE;
  for (let i = 0; i < probabilities.length; i++) {
    const logProbability = logProbabilities[begin + i];
    if (!(logProbability <= before)) return 0;
    before = logProbability;
    probabilities[i] = Math.exp(logProbability);
    all += probabilities[i];
  }
  let held = 0;
  for (let i = 0; i < probabilities.length; i++) {
    // A difference of two infinities is no number.
    if (!((first - logProbabilities[begin + i]) * levelsPerNat < deepestLevel + 0.5)) return i;
    held += probabilities[i];
    if (held >= topP * all) return i + 1;
  }
  return probabilities.length;
}

/** Sorts the first `count` numbers. */
function sort(numbers: Uint32Array, count: number): void {
  if (count > mostInserted) {
    numbers.subarray(0, count).sort();
    return;
  }
  for (let i = 1; i < count; i++) {
    const number = numbers[i];
    let to = i;
    for (; to > 0 && numbers[to - 1] > number; to--) numbers[to] = numbers[to - 1];
    numbers[to] = number;
  }
}

/** That of the shortest code for numbers that fall off geometrically from 0 (R. G. Gallager, D. C. Van Voorhis, 1975). */
function riceParameter(mean: number): number {
  return Math.max(0, 31 - Math.clz32(Math.LN2 * (mean + 1)));
}

/** A row that holds fewer than k candidates is filled up with its likeliest id, at a log-probability of −Infinity. */
type UnpackedRows = Pick<TextDistribution, 'candidateIds' | 'logProbabilities'>;

/**
 * The inverse of {@link packRows}, each row by falling probability.
 *
 * @param keptMass [n] as it came
 * @param topK k of the row, the most that one has
 * @param refuse is told what is wrong
 */
export function unpackRows(
  { candidates, keptMass }: { readonly candidates: Uint8Array; readonly keptMass: Float32Array },
  topK: number,
  idBits: number,
  refuse: (what: string) => never,
): UnpackedRows {
  const n = keptMass.length;
  const limit = 2 ** idBits;
  const candidateIds = new Int32Array(n * topK);
  const logProbabilities = new Float32Array(n * topK).fill(Number.NEGATIVE_INFINITY);
  const reader = new BitReader(candidates);
  const countBits = bitsFor(topK);
  const gaps = new Int32Array(topK);
  const rises = new Int32Array(topK);
  /** [level] how many candidates have it; then, where the next of them comes to stand. */
  const places = new Int32Array(deepestLevel + 2);
  for (let row = 0, begin = 0; row < n; row++, begin += topK) {
    const count = reader.read(countBits) + 1;
    const idParameter = reader.read(idParameterBits);
    const levelParameter = reader.read(levelParameterBits);
    const deepest = reader.read(levelBits);
    if (count > topK) refuse(`candidates has ${count} after token ${row} where top_k is ${topK}`);
    if (idParameter >= mostIdBits) refuse(`candidates has a code of ${idParameter} after token ${row}`);
    if (keptMass[row] === 0) refuse(`kept_mass is 0 after token ${row}`);
    reader.readRice(gaps, count, idParameter);
    reader.readRice(rises, count, levelParameter);
    if (reader.overrun) refuse(`candidates ends after token ${row} of ${n}`);
    let mass = 0;
    for (let i = 0, id = -1; i < count; i++) {
      const level = deepest - rises[i];
      if (level < 0 || level > deepest) refuse(`candidates has the level ${level} after token ${row}`);
      id += gaps[i] + 1;
      if (gaps[i] < 0 || id >= limit) refuse(`candidates has the id ${id} after token ${row}`);
      mass += powers[level];
      gaps[i] = id;
      rises[i] = level;
    }
    const ofFirst = Math.log(keptMass[row] / mass) + shy;
    if (count <= fewCandidates) {
      insertByLevel(gaps, rises, count);
      for (let i = 0; i < count; i++) {
        candidateIds[begin + i] = gaps[i];
        logProbabilities[begin + i] = ofFirst - rises[i] / levelsPerNat;
      }
    } else {
      places.fill(0, 0, deepest + 2);
      for (let i = 0; i < count; i++) places[rises[i] + 1]++;
      for (let level = 1; level <= deepest; level++) places[level] += places[level - 1];
      for (let i = 0; i < count; i++) {
        const to = begin + places[rises[i]]++;
        candidateIds[to] = gaps[i];
        logProbabilities[to] = ofFirst - rises[i] / levelsPerNat;
      }
    }
    for (let i = begin + count; i < begin + topK; i++) candidateIds[i] = candidateIds[begin];
  }
  if (!reader.exhausted) refuse('candidates has more than its rows');
  return { candidateIds, logProbabilities };
}

/** Sorts the first `count` candidates by rising level, and leaves equal ones in the order in which they come. */
function insertByLevel(ids: Int32Array, levels: Int32Array, count: number): void {
  for (let i = 1; i < count; i++) {
    const id = ids[i];
    const level = levels[i];
    let to = i;
    for (; to > 0 && levels[to - 1] > level; to--) {
      ids[to] = ids[to - 1];
      levels[to] = levels[to - 1];
    }
    ids[to] = id;
    levels[to] = level;
  }
}
