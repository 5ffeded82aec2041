/** Hears of what comes; as TrainerMetrics. */
export interface IntakeObserver {
  /** A distribution has come. */
  received(source: string, bytes: number): void;
  /** A message cannot be used. */
  deadLetter(source: string): void;
}

/** What came from one source since the process began. */
export interface SourceIntake {
  readonly bytesReceived: number;
  /** Messages that could not be used. */
  readonly deadLetters: number;
}

/** Counts what comes from the sources, for the status and the metrics. */
export class IntakeCounts implements IntakeObserver {
  readonly #metrics: IntakeObserver;
  readonly #bytes = new Map<string, number>();
  readonly #deadLetters = new Map<string, number>();

  constructor(metrics: IntakeObserver) {
    this.#metrics = metrics;
  }

  received(source: string, bytes: number): void {
    this.#bytes.set(source, (this.#bytes.get(source) ?? 0) + bytes);
    this.#metrics.received(source, bytes);
  }

  deadLetter(source: string): void {
    this.#deadLetters.set(source, (this.#deadLetters.get(source) ?? 0) + 1);
    this.#metrics.deadLetter(source);
  }

  of(source: string): SourceIntake {
    return {
      bytesReceived: this.#bytes.get(source) ?? 0,
      deadLetters: this.#deadLetters.get(source) ?? 0,
    };
  }
}
