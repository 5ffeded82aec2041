import { bitsFor } from './bit-packing.ts';
import { BitReader, BitWriter } from './bits.ts';
import type { TextDistribution } from './text-distribution.ts';

type Columns = Pick<TextDistribution, 'topK' | 'candidateIds' | 'logProbabilities'>;

const levelsPerNat = 8;
const levelBits = 8;
const deepestLevel = 2 ** levelBits - 1;
/** Bits in which a row says the parameter of Rice's code for its ids, and for its levels. */
const [idParameterBits, levelParameterBits] = [5, 3];
const [mostIdParameter, mostLevelParameter] = [23, 7];
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
 * @param idBits bits that hold every id, 31 at most
 * @throws RangeError where an id does not fit, or stands twice in a row
 */
export function packRows(
  { topK, candidateIds, logProbabilities }: Columns,
  topP: number,
  idBits: number,
): PackedRows {
  const n = candidateIds.length / topK;
  const keptMass = new Float32Array(n);
  const countBits = bitsFor(topK);
  const headBits = countBits + idParameterBits + levelParameterBits + levelBits;
  // With the parameters below, Rice's codes take on average less than 3.4 bits more than the widest of the numbers has,
  // and beyond the greatest parameter as many zeros as ids have powers of it.
  const rowBits = headBits + topK * (idBits + levelBits + 7) + 2 ** Math.max(0, idBits - mostIdParameter);
  const writer = new BitWriter(Math.ceil((n * rowBits) / 8));
  const sorted = new Float64Array(topK);
  for (let row = 0, begin = 0; row < n; row++, begin += topK) {
    const end = endOfRow(logProbabilities, begin, begin + topK, topP);
    const count = Math.max(1, end - begin);
    const first = logProbabilities[begin];
    let mass = 0;
    let deepest = 0;
    let levels = 0;
    sorted[0] = candidateIds[begin] * (deepestLevel + 1);
    for (let i = begin; i < end; i++) {
      const level = Math.round((first - logProbabilities[i]) * levelsPerNat);
      mass += Math.exp(logProbabilities[i]);
      levels += level;
      deepest = level;
      sorted[i - begin] = candidateIds[i] * (deepestLevel + 1) + level;
    }
    keptMass[row] = end === begin ? 0 : Math.min(1, Math.max(leastMass, mass));
    const ids = sorted.subarray(0, count).sort();
    const greatest = Math.floor(ids[count - 1] / (deepestLevel + 1));
    const idParameter = riceParameter((greatest + 1) / count - 1, mostIdParameter);
    const levelParameter = riceParameter(deepest - levels / count, mostLevelParameter);
    writer.write(count - 1, countBits);
    writer.write(idParameter | (levelParameter << idParameterBits), idParameterBits + levelParameterBits);
    writer.write(deepest, levelBits);
    for (let i = 0, before = -1; i < count; i++) {
      const id = Math.floor(ids[i] / (deepestLevel + 1));
      if (id === before) throw new RangeError(`${id} stands twice in a row of candidates`);
      if (id < 0 || id >= 2 ** idBits) throw new RangeError(`${id} does not fit into ${idBits} bits`);
      writer.writeRice(id - before - 1, idParameter);
      before = id;
    }
    for (let i = 0; i < count; i++) writer.writeRice(deepest - (ids[i] % (deepestLevel + 1)), levelParameter);
  }
  return { candidates: writer.finish(), keptMass };
}

/** Where the candidates to be sent end; at their begin where they are not finite and falling. */
function endOfRow(logProbabilities: Float32Array, begin: number, end: number, topP: number): number {
  const first = logProbabilities[begin];
  let all = 0;
  for (let i = begin, before = Number.MAX_VALUE; i < end; i++) {
    const logProbability = logProbabilities[i];
    if (!(logProbability <= before)) return begin;
    before = logProbability;
    all += Math.exp(logProbability);
  }
  let held = 0;
  for (let i = begin; i < end; i++) {
    // A difference of two infinities is no number.
    if (!((first - logProbabilities[i]) * levelsPerNat < deepestLevel + 0.5)) return i;
    held += Math.exp(logProbabilities[i]);
    if (held >= topP * all) return i + 1;
  }
  return end;
}

/** That of the shortest code for numbers that fall off geometrically from 0 (R. G. Gallager, D. C. Van Voorhis, 1975). */
function riceParameter(mean: number, most: number): number {
  const parameter = 32 - Math.clz32(Math.LN2 * (mean + 1)) - 1;
  return Math.min(most, Math.max(0, parameter));
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
  const candidateIds = new Int32Array(n * topK);
  const logProbabilities = new Float32Array(n * topK).fill(Number.NEGATIVE_INFINITY);
  const reader = new BitReader(candidates);
  const countBits = bitsFor(topK);
  const ids = new Int32Array(topK);
  const levels = new Uint8Array(topK);
  /** [level] how many candidates have it; then, where the next of them comes to stand. */
  const places = new Int32Array(deepestLevel + 2);
  for (let row = 0, begin = 0; row < n; row++, begin += topK) {
    const count = reader.read(countBits) + 1;
    const idParameter = reader.read(idParameterBits);
    const levelParameter = reader.read(levelParameterBits);
    const deepest = reader.read(levelBits);
    if (count > topK) refuse(`candidates has ${count} after token ${row} where top_k is ${topK}`);
    if (idParameter > mostIdParameter) refuse(`candidates has a code of ${idParameter} after token ${row}`);
    if (keptMass[row] === 0) refuse(`kept_mass is 0 after token ${row}`);
    for (let i = 0, before = -1; i < count; i++) {
      before += reader.readRice(idParameter) + 1;
      if (before < 0 || before >= 2 ** idBits) refuse(`candidates has the id ${before} after token ${row}`);
      ids[i] = before;
    }
    let mass = 0;
    places.fill(0, 0, deepest + 2);
    for (let i = 0; i < count; i++) {
      const level = deepest - reader.readRice(levelParameter);
      if (level < 0) refuse(`candidates has a level above the greatest after token ${row}`);
      levels[i] = level;
      mass += powers[level];
      places[level + 1]++;
    }
    if (reader.overrun) refuse(`candidates ends after token ${row} of ${n}`);
    const ofFirst = Math.log(keptMass[row] / mass) + shy;
    for (let level = 1; level <= deepest; level++) places[level] += places[level - 1];
    for (let i = 0; i < count; i++) {
      const to = begin + places[levels[i]]++;
      candidateIds[to] = ids[i];
      logProbabilities[to] = ofFirst - levels[i] / levelsPerNat;
    }
    candidateIds.fill(candidateIds[begin], begin + count, begin + topK);
  }
  if (!reader.exhausted) refuse('candidates has more than its rows');
  return { candidateIds, logProbabilities };
}
