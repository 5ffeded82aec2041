/** What the wall time of the training goes into: the fields of StepTime in proto/fusemesh/v1/trainer.proto. */
export const phases = ['wait', 'align', 'compute', 'optimizer', 'checkpoint', 'evaluate'] as const;

export type Phase = (typeof phases)[number];

/** Seconds by phase. */
export type PhaseSeconds = Readonly<Record<Phase, number>>;

/** Adds up where the wall time of a training goes. No second counts twice. */
export class TimeSpent {
  readonly #total = nothing();
  #sinceTaken = nothing();

  /** Since the process began. */
  get total(): PhaseSeconds {
    return this.#total;
  }

  add(seconds: Partial<PhaseSeconds>): void {
    for (const phase of phases) {
      this.#total[phase] += seconds[phase] ?? 0;
      this.#sinceTaken[phase] += seconds[phase] ?? 0;
    }
  }

  /** Does some work, and adds the time that it took. */
  async during<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.add({ [phase]: (performance.now() - began) / 1000 });
    }
  }

  /** The time added since the last call. */
  take(): PhaseSeconds {
    const taken = this.#sinceTaken;
    this.#sinceTaken = nothing();
    return taken;
  }
}

const nothing = (): Record<Phase, number> => ({
  wait: 0,
  align: 0,
  compute: 0,
  optimizer: 0,
  checkpoint: 0,
  evaluate: 0,
});
