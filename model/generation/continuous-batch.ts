import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Placement } from '../runtime/placement.ts';
import type { Remote, RunningWorker } from '../runtime/worker.ts';
import { Admission, type AdmissionLimits } from './admission.ts';
import type { StepOutcome } from './batched-model.ts';
import type { GenerationMethods } from './generation-worker.ts';
import type { NewSequence } from './sequence.ts';

/** A token of a sequence, as it comes. */
export type Chosen = Extract<StepOutcome, { readonly token: number }>;

/** What is to be continued, and until when. */
export interface Work extends Omit<NewSequence, 'id'> {
  /** Tokens after which it ends. */
  readonly maxTokens: number;
  /** Whether a token ends it. */
  ends(token: number): boolean;
  /**
   * Hears each token. The next one is computed meanwhile, which nobody hears when this one was the last.
   *
   * @param version of the weights
   * @returns whether the sequence goes on
   */
  hear(chosen: Chosen, version: number): Promise<boolean>;
}

/** One version of the weights, loaded in the worker thread. */
interface Weights {
  /** Tells them apart: a version may be loaded twice. */
  readonly number: number;
  readonly version: number;
  /** Sequences in hand. */
  sequences: number;
  isReleased: boolean;
}

/** A sequence that waits or is in hand. */
interface Entry {
  readonly id: number;
  readonly most: number;
  readonly work: Work;
  weights: Weights | undefined;
  /** Chosen so far. */
  tokens: number;
  done: boolean;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Continues sequences together: a step gives each its next token; between steps they come and go, and begin on the
 * newest weights. What waits stays on this side of the worker thread.
 */
export class ContinuousBatch {
  readonly #worker: RunningWorker<GenerationMethods>;
  readonly #remote: Remote<GenerationMethods>;
  readonly #computing: { readonly threads: number; readonly placement?: Placement | undefined };
  readonly #admission: Admission<Entry, Weights>;
  readonly #cacheBytes: number;
  readonly #inHand = new Map<number, Entry>();
  #newest: Weights | undefined;
  #loads = 0;
  #entries = 0;
  #runs = false;
  #replacing: Promise<unknown> = Promise.resolve();
  /** Hears when old weights are freed. */
  #freed: () => void = () => {};
  readonly #old = new Set<Weights>();

  constructor(
    worker: RunningWorker<GenerationMethods>,
    computing: { readonly threads: number; readonly placement?: Placement | undefined },
    limits: AdmissionLimits,
  ) {
    this.#worker = worker;
    this.#remote = worker.remote;
    this.#computing = computing;
    this.#admission = new Admission(limits);
    this.#cacheBytes = limits.cacheBytes;
  }

  /** Of the newest weights. */
  get version(): number {
    return this.#newest!.version;
  }

  /**
   * Loads weights, which sequences begin on from then on. Of old ones that are still in use there are one at most: the
   * next wait for their last sequence.
   *
   * @returns operators that the processor computes although the model is on a device
   */
  load(directory: string, version: number): Promise<ReadonlySet<string>> {
    const loading = this.#replacing.then(async () => {
      while (this.#old.size > 0) {
        await new Promise<void>((resolve) => {
          this.#freed = resolve;
        });
      }
      const weights = { number: this.#loads++, version, sequences: 0, isReleased: false };
      const options = { ...this.#computing, most: this.#cacheBytes };
      const onProcessor = await this.#remote.load(weights.number, directory, options);
      const before = this.#newest;
      this.#newest = weights;
      if (before) {
        this.#old.add(before);
        await this.#releaseUnused();
      }
      return onProcessor;
    });
    this.#replacing = loading.catch(() => {});
    return loading;
  }

  /**
   * Continues a sequence to its end.
   *
   * @throws FuseMeshError invalid_argument where it has no room in the cache even alone, cancelled when the signal aborts,
   * and what fails in a step
   */
  async run(work: Work, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw cancelled();
    let leave = () => {};
    try {
      await new Promise<void>((resolve, reject) => {
        const { most } = work;
        const entry: Entry = {
          id: this.#entries++,
          most,
          work,
          weights: undefined,
          tokens: 0,
          done: false,
          resolve,
          reject,
        };
        this.#admission.enter(entry);
        leave = () => this.#end(entry, cancelled());
        signal.addEventListener('abort', leave);
        if (!this.#runs) void this.#pump();
      });
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  async #pump(): Promise<void> {
    this.#runs = true;
    let heard: Promise<unknown> = Promise.resolve();
    try {
      for (;;) {
        this.#begin();
        if (this.#inHand.size === 0) break;
        const outcomes = await this.#remote.step();
        await heard;
        heard = Promise.all(outcomes.map((outcome) => this.#hear(outcome)));
      }
    } catch (error) {
      for (const entry of [...this.#inHand.values(), ...this.#admission.waiting]) this.#end(entry, error);
    } finally {
      this.#runs = false;
    }
  }

  /** Those who wait, as many as may. */
  #begin(): void {
    const weights = this.#newest!;
    for (let entry = this.#admission.next(weights); entry; entry = this.#admission.next(weights)) {
      entry.weights = weights;
      weights.sequences++;
      this.#inHand.set(entry.id, entry);
      const { prompt, sampling, logProbabilities, most } = entry.work;
      this.#tell(
        this.#remote.begin(weights.number, { id: entry.id, prompt, sampling, logProbabilities, most }),
        entry,
      );
    }
  }

  async #hear(outcome: StepOutcome): Promise<void> {
    const entry = this.#inHand.get(outcome.sequence);
    // It has left while the step ran.
    if (!entry) return;
    if (!('token' in outcome)) return this.#end(entry, new FuseMeshError(outcome.code, outcome.message));
    entry.tokens++;
    const isLast = entry.tokens === entry.work.maxTokens || entry.work.ends(outcome.token);
    if (isLast) this.#leave(entry);
    try {
      const goesOn = await entry.work.hear(outcome, entry.weights!.version);
      if (isLast || !goesOn) this.#end(entry);
    } catch (error) {
      this.#end(entry, error);
    }
  }

  /** Frees the sequence's slot. */
  #leave(entry: Entry): void {
    this.#admission.leave(entry);
    if (!this.#inHand.delete(entry.id)) return;
    this.#tell(this.#remote.end(entry.id));
    entry.weights!.sequences--;
    this.#tell(this.#releaseUnused());
  }

  #end(entry: Entry, error?: unknown): void {
    if (entry.done) return;
    entry.done = true;
    this.#leave(entry);
    if (error === undefined) entry.resolve();
    else entry.reject(error);
  }

  async #releaseUnused(): Promise<void> {
    for (const weights of this.#old) {
      if (weights.sequences > 0 || weights.isReleased) continue;
      weights.isReleased = true;
      try {
        await this.#remote.release(weights.number);
      } finally {
        this.#old.delete(weights);
        this.#freed();
      }
    }
  }

  /** A call whose answer nobody waits for; that it fails, the next step says too. */
  #tell(call: Promise<unknown>, entry?: Entry): void {
    call.catch((error: unknown) => entry && this.#end(entry, error));
  }

  close(): Promise<void> {
    return this.#worker.stop();
  }
}

const cancelled = () => new FuseMeshError('cancelled', 'The caller left before the text was at its end.');
