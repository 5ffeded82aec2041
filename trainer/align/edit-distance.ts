const bitsOfWord = 32;
const codePoints = 0x110000;

/**
 * Levenshtein distance (insertions, deletions and substitutions of code points, each of cost 1) from one
 * string, the pattern, to many others.
 *
 * A column of the table of distances is held as bits, the steps +1 and −1 between its neighbouring cells,
 * and moves on by one code point in a dozen operations on words (Myers, J. ACM 46, 1999; Hyyrö 2003 for the
 * distance of whole strings). Patterns longer than a word are cut into blocks that pass on a carry. After
 * {@link start} nothing is allocated.
 */
export class EditDistance {
  /** For each code point its number in the pattern from 1 on; 0 where the pattern does not have it. */
  readonly #symbolOf = new Int32Array(codePoints);
  /** Code points of the pattern, each once. */
  readonly #symbols: number[] = [];
  /** [symbols + 1, blocks] bits of the places where each symbol stands in the pattern; row 0 is empty. */
  #masks = new Int32Array(64);
  /** [blocks] places where the column rises, and where it falls. */
  #rising = new Int32Array(1);
  #falling = new Int32Array(1);
  #length = 0;
  #blocks = 0;

  /** Takes points[begin … end) as the pattern. */
  start(points: Int32Array, begin: number, end: number): void {
    for (const point of this.#symbols) this.#symbolOf[point] = 0;
    this.#symbols.length = 0;
    this.#length = end - begin;
    this.#blocks = Math.ceil(this.#length / bitsOfWord);
    this.#reserve();
    for (let i = 0; i < this.#length; i++) {
      const point = points[begin + i];
      let symbol = this.#symbolOf[point];
      if (symbol === 0) {
        symbol = this.#symbols.push(point);
        this.#symbolOf[point] = symbol;
      }
      this.#masks[symbol * this.#blocks + (i >> 5)] |= 1 << (i & 31);
    }
  }

  /**
   * Distance from the pattern to points[begin … end).
   *
   * @param atMost a greater distance need not be known
   * @returns the distance, or, where that is greater than `atMost`, any number greater than `atMost`
   */
  to(points: Int32Array, begin: number, end: number, atMost = Number.POSITIVE_INFINITY): number {
    if (this.#length === 0) return end - begin;
    return this.#blocks === 1
      ? this.#withinWord(points, begin, end, atMost)
      : this.#acrossBlocks(points, begin, end, atMost);
  }

  #withinWord(points: Int32Array, begin: number, end: number, atMost: number): number {
    const symbolOf = this.#symbolOf;
    const masks = this.#masks;
    const last = 1 << (this.#length - 1);
    let rising = -1;
    let falling = 0;
    let distance = this.#length;
    for (let i = begin; i < end; i++) {
      const equal = masks[symbolOf[points[i]]];
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
    const masks = this.#masks;
    const risings = this.#rising.fill(-1);
    const fallings = this.#falling.fill(0);
    const last = 1 << ((this.#length - 1) & 31);
    let distance = this.#length;
    for (let i = begin; i < end; i++) {
      const row = this.#symbolOf[points[i]] * blocks;
      // The step from the column before to this one at the upper edge of a block: +1 above the first.
      let step = 1;
      for (let block = 0; block < blocks; block++) {
        const lowest = block === blocks - 1 ? last : 1 << 31;
        const rising = risings[block];
        const falling = fallings[block];
        const mask = masks[row + block];
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

  /** Makes room for the pattern's masks, all zero. */
  #reserve(): void {
    const words = (this.#length + 1) * this.#blocks;
    if (words > this.#masks.length) this.#masks = new Int32Array(2 * words);
    else this.#masks.fill(0, 0, words);
    if (this.#blocks > this.#rising.length) {
      this.#rising = new Int32Array(2 * this.#blocks);
      this.#falling = new Int32Array(2 * this.#blocks);
    }
  }
}
