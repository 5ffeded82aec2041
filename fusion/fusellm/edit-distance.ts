const bitsOfWord = 32;
const codePoints = 0x110000;

/** More than any distance, and still a small integer: comparing with Infinity would be slower. */
const unlimited = 0x3fffffff;

/**
 * Levenshtein distance (insertions, deletions and substitutions of code points, each of cost 1) from one
 * string, the pattern, to many others.
 *
 * A column of the table of distances is held as bits, the steps +1 and −1 between its neighbouring cells,
 * and advances by one code point in a dozen operations on words (Myers, J. ACM 46, 1999; Hyyrö 2003 for the
 * distance of whole strings). Patterns longer than a word are cut into blocks that pass on a carry. Memory is
 * allocated only for patterns longer than any before.
 */
export class EditDistance {
  /** Code points of the pattern, as they come. */
  #pattern = new Int32Array(bitsOfWord);
  #length = 0;
  #blocks = 0;
  /** A pattern of one word: by code point, bits of the places where it stands in the pattern. */
  readonly #places = new Int32Array(codePoints);
  /** A longer one: by code point, the row of its bits in {@link #rows}; 0 where the pattern lacks it. */
  readonly #rowOf = new Int32Array(codePoints);
  /** [1 + distinct code points, blocks] bits of places; row 0 is empty. */
  #rows = new Int32Array(0);
  /** [blocks] places where the column rises, and where it falls. */
  #rising = new Int32Array(0);
  #falling = new Int32Array(0);

  /** Takes points[begin … end) as the pattern. */
  start(points: Int32Array, begin: number, end: number): void {
    for (let i = 0; i < this.#length; i++) {
      this.#places[this.#pattern[i]] = 0;
      this.#rowOf[this.#pattern[i]] = 0;
    }
    this.#length = end - begin;
    this.#blocks = (this.#length + bitsOfWord - 1) >> 5;
    if (this.#length > this.#pattern.length) this.#pattern = new Int32Array(2 * this.#length);
    for (let i = 0; i < this.#length; i++) this.#pattern[i] = points[begin + i];
    if (this.#blocks > 1) this.#fillRows();
    else for (let i = 0; i < this.#length; i++) this.#places[this.#pattern[i]] |= 1 << i;
  }

  /**
   * Distance from the pattern to points[begin … end).
   *
   * @param atMost a greater distance need not be known
   * @returns the distance, or, where that is greater than `atMost`, any number greater than `atMost`
   */
  to(points: Int32Array, begin: number, end: number, atMost = unlimited): number {
    if (this.#length === 0) return end - begin;
    return this.#blocks === 1
      ? this.#withinWord(points, begin, end, atMost)
      : this.#acrossBlocks(points, begin, end, atMost);
  }

  #withinWord(points: Int32Array, begin: number, end: number, atMost: number): number {
    const places = this.#places;
    const last = 1 << (this.#length - 1);
    let rising = -1;
    let falling = 0;
    let distance = this.#length;
    for (let i = begin; i < end; i++) {
      const equal = places[points[i]];
      const vertical = equal | falling;
      const diagonal = (((equal & rising) + rising) ^ rising) | equal;
      const up = falling | ~(diagonal | rising);
      const down = rising & diagonal;
      if ((up & last) !== 0) distance++;
      else if ((down & last) !== 0) distance--;
      // Each code point that is left lowers the distance by 1 at most.
      if (distance - (end - i - 1) > atMost) return distance;
      const upBelow = (up << 1) | 1;
      rising = (down << 1) | ~(vertical | upBelow);
      falling = upBelow & vertical;
    }
    return distance;
  }

  #acrossBlocks(points: Int32Array, begin: number, end: number, atMost: number): number {
    const blocks = this.#blocks;
    const rows = this.#rows;
    const risings = this.#rising.fill(-1);
    const fallings = this.#falling.fill(0);
    const last = 1 << ((this.#length - 1) & 31);
    let distance = this.#length;
    for (let i = begin; i < end; i++) {
      const row = this.#rowOf[points[i]] * blocks;
      // The step from the column before to this one at the upper edge of a block: +1 above the first.
      let step = 1;
      for (let block = 0; block < blocks; block++) {
        const lowest = block === blocks - 1 ? last : 1 << 31;
        const rising = risings[block];
        const falling = fallings[block];
        const mask = rows[row + block];
        const vertical = mask | falling;
        const equal = step < 0 ? mask | 1 : mask;
        const diagonal = (((equal & rising) + rising) ^ rising) | equal;
        const up = falling | ~(diagonal | rising);
        const down = rising & diagonal;
        const upBelow = (up << 1) | (step > 0 ? 1 : 0);
        const downBelow = (down << 1) | (step < 0 ? 1 : 0);
        risings[block] = downBelow | ~(vertical | upBelow);
        fallings[block] = upBelow & vertical;
        step = (up & lowest) !== 0 ? 1 : (down & lowest) !== 0 ? -1 : 0;
      }
      distance += step;
      if (distance - (end - i - 1) > atMost) return distance;
    }
    return distance;
  }

  #fillRows(): void {
    const needed = (this.#length + 1) * this.#blocks;
    if (needed > this.#rows.length) {
      this.#rows = new Int32Array(2 * needed);
      this.#rising = new Int32Array(2 * this.#blocks);
      this.#falling = new Int32Array(2 * this.#blocks);
    }
    this.#rows.fill(0, 0, needed);
    let distinct = 0;
    for (let i = 0; i < this.#length; i++) {
      const point = this.#pattern[i];
      if (this.#rowOf[point] === 0) this.#rowOf[point] = ++distinct;
      this.#rows[this.#rowOf[point] * this.#blocks + (i >> 5)] |= 1 << (i & 31);
    }
  }
}

/**
 * The kinds of code points in points[begin … end): 32 kinds, a bit each. Strings whose sets have no bit in
 * common have no code point in common.
 */
export function symbolSet(points: Int32Array, begin: number, end: number): number {
  let set = 0;
  // Fibonacci hashing (2^32 / golden ratio): neighbouring code points are of different kinds.
  for (let i = begin; i < end; i++) set |= 1 << (Math.imul(points[i], 0x9e3779b1) >>> 27);
  return set;
}

/**
 * What the distance of two strings of these {@link symbolSet}s is no less than: a kind that only one of them
 * has costs a step, and one step changes a code point in both at most.
 */
export function leastDistance(set: number, other: number): number {
  return Math.max(bitsIn(set & ~other), bitsIn(other & ~set));
}

/** How many bits of a word are 1, by adding neighbours (Warren, Hacker's Delight, 5-1). */
function bitsIn(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
