/** Hears of what comes; as TrainerMetrics. */
export interface IntakeObserver {
  received(teacher: string, bytes: number): void;
  deadLetter(teacher: string): void;
}

/** What came from one source since the process began. */
export interface SourceIntake {
  readonly bytesReceived: number;
  /** Messages that could not be used. */
  readonly deadLetters: number;
}

/** Counts what comes from the sources, for the status and the metrics. */
export class Intake {
  readonly #metrics: IntakeObserver;
  readonly #bytes = new Map<string, number>();
  readonly #deadLetters = new Map<string, number>();

  constructor(metrics: IntakeObserver) {
    this.#metrics = metrics;
  }

  /** A distribution has come. */
  received(teacher: string, bytes: number): void {
    this.#bytes.set(teacher, (this.#bytes.get(teacher) ?? 0) + bytes);
    this.#metrics.received(teacher, bytes);
  }

  /** It cannot be used. */
  deadLetter(teacher: string): void {
    this.#deadLetters.set(teacher, (this.#deadLetters.get(teacher) ?? 0) + 1);
    this.#metrics.deadLetter(teacher);
  }

  of(teacher: string): SourceIntake {
    return {
      bytesReceived: this.#bytes.get(teacher) ?? 0,
      deadLetters: this.#deadLetters.get(teacher) ?? 0,
    };
  }
}
