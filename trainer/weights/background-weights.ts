import type { TrainedTensor } from '../../engine/engine-snapshot.ts';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { repeatUntilAborted, sleepUnlessAborted } from '../../process/lifecycle/repeat.ts';
import type { Log } from '../../process/log/log.ts';
import { RepeatedWarning } from '../../process/log/repeated-warning.ts';
import type { WeightsObject } from '../../wire/nats/weights.ts';

interface WeightsWay {
  /** Steps between two publications. */
  readonly every: number;
  /** A copy of the weights as they are now. */
  weights(): Promise<readonly TrainedTensor[]>;
  /** Publishes them; they are handed over. */
  publish(step: number, tensors: readonly TrainedTensor[]): Promise<WeightsObject>;
  /** Whether they are still where they were published. */
  has(object: WeightsObject): Promise<boolean>;
  /** Called when there is something to do between two steps: weights are due, or a publication has failed. */
  onChange(): void;
  /** Called with how long the caller has been held up. */
  onWaited(seconds: number): void;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** Between two looks at what was published, and after a failure; in milliseconds. */
const lookEvery = 5_000;
const tryAgainAfter = 1_000;

/**
 * Has weights published while the training continues. One publication at a time: those of steps that fall into it are
 * skipped, and when it ends the newest are due at once, also where the training waits for documents that somebody
 * writes with them. While NATS is away the training goes on.
 */
export class BackgroundWeights {
  readonly #way: WeightsWay;
  readonly #warning: RepeatedWarning;
  /** Whether newer weights than those published last, or being published, are to come. */
  #due = false;
  #publishing: Promise<void> | undefined;
  #published: WeightsObject | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(way: WeightsWay) {
    this.#way = way;
    this.#warning = new RepeatedWarning(way.log);
  }

  /** Whether {@link begin} is to be called before the next step. */
  get isDue(): boolean {
    return this.#failure !== undefined || (this.#due && this.#publishing === undefined);
  }

  /**
   * To be called after every step: begins a publication where it is the step's turn, unless one is under way.
   *
   * @throws what a publication has failed with, unless NATS was away
   */
  async after(step: number): Promise<void> {
    if (step % this.#way.every === 0) this.#due = true;
    if (this.isDue) await this.begin(step);
  }

  /**
   * Copies the weights, which are those of a step, and has them published; returns when the training may continue.
   *
   * @throws what a publication has failed with, unless NATS was away
   */
  async begin(step: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    const began = performance.now();
    const tensors = await this.#way.weights();
    this.#way.onWaited((performance.now() - began) / 1000);
    this.#due = false;
    this.#publishing = this.#publish(step, tensors).finally(() => {
      this.#publishing = undefined;
      if (this.isDue) this.#way.onChange();
    });
  }

  /** Returns when the weights of the last step are published, or cannot be since NATS is away. */
  async finish(step: number): Promise<void> {
    await this.#publishing;
    if (this.#published?.step !== step) {
      await this.begin(step);
      await this.#publishing;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Looks now and then whether the weights are still there, as a server that lost its disk has lost them. */
  keepThere(signal: AbortSignal): Promise<void> {
    // Who is away is not asked, but published to again by itself.
    const onFailure = () => {};
    return repeatUntilAborted({ pause: lookEvery, signal, onFailure }, async () => {
      const published = this.#published;
      if (published === undefined || this.#publishing !== undefined || this.#due) return;
      if ((await this.#way.has(published)) || published !== this.#published) return;
      this.#due = true;
      this.#way.onChange();
    });
  }

  async #publish(step: number, tensors: readonly TrainedTensor[]): Promise<void> {
    const { publish, signal, log } = this.#way;
    const began = performance.now();
    try {
      this.#published = await publish(step, tensors);
      this.#warning.over();
      const seconds = (performance.now() - began) / 1000;
      const { bytes } = this.#published;
      log.debug({ step, bytes, seconds }, `The weights of step ${step} are published`);
    } catch (error) {
      if (error instanceof FuseMeshError && error.code === 'unavailable') {
        this.#warning.warn(`The weights are not published, trying again: ${error.message}`, { step });
        this.#due = true;
        await sleepUnlessAborted(tryAgainAfter, signal);
      } else this.#failure = { error };
    }
  }
}
