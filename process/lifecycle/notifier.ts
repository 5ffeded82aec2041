/** Lets loops sleep until something that they look at has changed. */
export class Notifier {
  #wake: () => void = () => {};
  #next: Promise<void> = Promise.resolve();

  constructor() {
    this.#arm();
  }

  /** Wakes all that wait. */
  notifyAll(): void {
    const wake = this.#wake;
    this.#arm();
    wake();
  }

  /** Resolves at the next notification, or after a time in milliseconds where one is given. */
  async next(timeout?: number): Promise<void> {
    if (timeout === undefined) return this.#next;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeout);
    });
    await Promise.race([this.#next, late]);
    clearTimeout(timer);
  }

  #arm(): void {
    this.#next = new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
