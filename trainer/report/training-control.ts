import type { Notifier } from '../../process/lifecycle/notifier.ts';
import type { SavedCheckpoint } from '../checkpoint/read-checkpoint.ts';

interface CheckpointRequest {
  readonly resolve: (checkpoint: SavedCheckpoint) => void;
  readonly reject: (error: unknown) => void;
}

/** What is asked of a running training from outside; the loop looks at it between two steps. */
export class TrainingControl {
  /** Notified at every change. */
  readonly notifier: Notifier;
  #paused = false;
  #requests: CheckpointRequest[] = [];
  #ended: { readonly error: unknown } | undefined;

  constructor(notifier: Notifier) {
    this.notifier = notifier;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get hasRequests(): boolean {
    return this.#requests.length > 0;
  }

  pause(): void {
    this.#paused = true;
    this.notifier.notifyAll();
  }

  resume(): void {
    this.#paused = false;
    this.notifier.notifyAll();
  }

  /** Asks for a checkpoint; resolves when it is on disk. */
  requestCheckpoint(): Promise<SavedCheckpoint> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended.error);
    return new Promise((resolve, reject) => {
      this.#requests.push({ resolve, reject });
      this.notifier.notifyAll();
    });
  }

  /** Serves all that have asked so far with one checkpoint. */
  async serveRequests(write: () => Promise<SavedCheckpoint>): Promise<void> {
    if (!this.hasRequests) return;
    const requests = this.#requests;
    this.#requests = [];
    try {
      const checkpoint = await write();
      for (const { resolve } of requests) resolve(checkpoint);
    } catch (error) {
      for (const { reject } of requests) reject(error);
      throw error;
    }
  }

  /** The training has ended: requests for a checkpoint, also later ones, fail with this error. */
  end(error: unknown): void {
    this.#ended = { error };
    for (const { reject } of this.#requests.splice(0)) reject(error);
  }
}
