import type { Attendance } from './join/attendance.ts';
import { IntakeCounts, type IntakeObserver } from './read/intake-counts.ts';
import type { SourceQueue } from './read/look-ahead.ts';
import { StreamWatch } from './read/watch-streams.ts';
import type { Source } from './sources/source.ts';

/** What one source has delivered, and what it says of its own work. */
export interface SourceArrivals {
  readonly name: string;
  readonly attached: boolean;
  /** Processes of it that work for the run. */
  readonly replicas: number;
  /** Distributions that have come and wait for a step. */
  readonly queueDepth: number;
  /** Tokens that it scores per second, as it says itself. */
  readonly tokensPerSecond: number;
  /** Since it attached, as it says itself. */
  readonly documentsScored: number;
  readonly waitingForRoom: boolean;
  /** Documents that another source has delivered and this one has not. */
  readonly documentsMissing: number;
  /** Documents published that none of its replicas has scored yet, at the last look. */
  readonly lagDocuments: number;
  /** Of its distributions, since the process began. */
  readonly bytesReceived: number;
  /** Messages of it that could not be used, since the process began. */
  readonly deadLetters: number;
  /** Whether the training continues without it at the moment. */
  readonly leftOut: boolean;
}

/** What the status shows of the join, once it has begun. */
interface BegunJoin {
  /** In the order of the sources. */
  readonly queues: readonly SourceQueue[];
  readonly attendance: Pick<Attendance, 'isLeftOut'>;
}

/** What comes in for a run: its sources, what they sent, and what its streams hold. The pipeline writes it; status and metrics read it. */
export class Intake {
  readonly sources: readonly Source[];
  readonly counts: IntakeCounts;
  readonly streams = new StreamWatch();
  #join: BegunJoin | undefined;

  constructor(sources: readonly Source[], metrics: IntakeObserver) {
    this.sources = sources;
    this.counts = new IntakeCounts(metrics);
  }

  /** Names of the sources, in their order. */
  get names(): string[] {
    return this.sources.map(({ name }) => name);
  }

  /** The join has begun: what arrives waits in these queues. */
  joins(join: BegunJoin): void {
    this.#join = join;
  }

  /** The sources, in their order. */
  arrivals(): SourceArrivals[] {
    const delivered = this.#deliveredBySome();
    const lags = new Map(this.streams.seen?.lags.map(({ teacher, documents }) => [teacher, documents]));
    return this.sources.map(({ name, attached, working, said }, i) => {
      const queueDepth = this.#join?.queues[i].distributions.size ?? 0;
      return {
        name,
        attached,
        replicas: working.length,
        ...this.counts.of(name),
        queueDepth,
        leftOut: this.#join?.attendance.isLeftOut(name) ?? false,
        tokensPerSecond: said.tokensPerSecond,
        documentsScored: Number(said.documentsScored),
        waitingForRoom: said.waitingForRoom,
        documentsMissing: delivered.size - queueDepth,
        lagDocuments: lags.get(name) ?? 0,
      };
    });
  }

  /** Tokens that each source scores per second, as it says itself. */
  rates(): Record<string, number> {
    return Object.fromEntries(this.sources.map(({ name, said }) => [name, said.tokensPerSecond]));
  }

  /** Documents that some sources, but not all, have delivered. */
  get documentsWaiting(): number {
    let partly = 0;
    for (const count of this.#deliveredBySome().values()) if (count < this.sources.length) partly++;
    return partly;
  }

  /** How many sources have delivered each document that waits. */
  #deliveredBySome(): Map<number, number> {
    const delivered = new Map<number, number>();
    for (const { distributions } of this.#join?.queues ?? []) {
      for (const number of distributions.numbers) delivered.set(number, (delivered.get(number) ?? 0) + 1);
    }
    return delivered;
  }
}
