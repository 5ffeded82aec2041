/** What computes or carries: a GPU, the cores of a machine, a link. */
export interface Host {
  readonly name: string;
  /** Threads that it runs side by side; work beyond them shares it evenly. */
  readonly cores: number;
  /** What a core still does while all others work too, of what it does alone: above 0 up to 1. */
  readonly efficiency: number;
}

/** Work for a host. */
export interface Work {
  /** Where, by its place in the list; undefined for what only takes time. */
  readonly host: number | undefined;
  /** Cores that it keeps busy. */
  readonly threads: number;
  /** How long it takes alone. */
  readonly seconds: number;
}

interface Running extends Work {
  left: number;
  readonly done: () => void;
}

/** Seconds below which what is left of some work is rounding. */
const rounding = 1e-12;

/**
 * A clock over work that shares hosts: it goes from one end of some work to the next (a discrete-event simulation with
 * processor sharing).
 */
export class Hosts {
  now = 0;
  readonly #hosts: readonly Host[];
  readonly #running: Running[] = [];
  readonly #busy: Float64Array;

  constructor(hosts: readonly Host[]) {
    this.#hosts = hosts;
    this.#busy = new Float64Array(hosts.length);
  }

  /** @param done called when the work is done, at that time; it may begin more */
  begin(work: Work, done: () => void): void {
    this.#running.push({ ...work, left: work.seconds, done });
  }

  /** Core-seconds that a host has been busy, at most its cores at a time. */
  busySeconds(host: number): number {
    return this.#busy[host];
  }

  /**
   * Goes on to the next end of some work.
   *
   * @param pass called with the seconds that pass, before the work's `done`
   * @returns false where nothing is going on
   */
  next(pass: (seconds: number) => void): boolean {
    if (this.#running.length === 0) return false;
    const demand = this.#hosts.map(() => 0);
    for (const { host, threads } of this.#running) if (host !== undefined) demand[host] += threads;
    const speeds = demand.map((threads, h) => speedOf(this.#hosts[h], threads));
    const speed = ({ host }: Work) => (host === undefined ? 1 : speeds[host]);
    let seconds = Number.POSITIVE_INFINITY;
    for (const work of this.#running) seconds = Math.min(seconds, work.left / speed(work));

    this.now += seconds;
    for (const [h, { cores }] of this.#hosts.entries()) this.#busy[h] += seconds * Math.min(cores, demand[h]);
    pass(seconds);
    const ended: Running[] = [];
    let kept = 0;
    for (const work of this.#running) {
      work.left -= seconds * speed(work);
      if (work.left <= rounding) ended.push(work);
      else this.#running[kept++] = work;
    }
    this.#running.length = kept;
    for (const { done } of ended) done();
    return true;
  }
}

/** How fast each of so many threads is, of what one is alone. */
function speedOf({ cores, efficiency }: Host, threads: number): number {
  if (threads >= cores) return threads === 0 ? 1 : (cores * (cores > 1 ? efficiency : 1)) / threads;
  return threads <= 1 ? 1 : 1 - ((1 - efficiency) * (threads - 1)) / (cores - 1);
}
