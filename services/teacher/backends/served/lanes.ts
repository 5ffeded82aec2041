/** Work that waits, in lanes that take turns, however much waits in each; within a lane, first come is first served. */
export class Lanes<Item> {
  /** The lane with the next turn is the first. */
  readonly #lanes = new Map<string, Item[]>();

  get isEmpty(): boolean {
    return this.#lanes.size === 0;
  }

  add(lane: string, item: Item): void {
    const others = this.#lanes.get(lane);
    if (others) others.push(item);
    else this.#lanes.set(lane, [item]);
  }

  /** Puts something before all others of its lane. */
  putBack(lane: string, item: Item): void {
    const others = this.#lanes.get(lane);
    if (others) others.unshift(item);
    else this.#lanes.set(lane, [item]);
  }

  /** The item whose turn it is; undefined where none waits. */
  take(): Item | undefined {
    for (const [lane, items] of this.#lanes) {
      const item = items.shift();
      this.#lanes.delete(lane);
      if (items.length > 0) this.#lanes.set(lane, items);
      return item;
    }
    return undefined;
  }

  remove(lane: string, item: Item): void {
    const others = this.#lanes.get(lane)?.filter((other) => other !== item) ?? [];
    if (others.length === 0) this.#lanes.delete(lane);
    else this.#lanes.set(lane, others);
  }
}
