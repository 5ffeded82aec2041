import { type EngineSnapshot, sharesMemory } from '../../engine/engine-snapshot.ts';
import type { SavedCheckpoint } from './read-checkpoint.ts';
import type { TrainingState } from './training-state.ts';

interface CheckpointSource {
  /** Weights and moments as they are now. */
  snapshot(): Promise<EngineSnapshot>;
  /** Puts a checkpoint on disk and returns its directory. */
  save(state: TrainingState, snapshot: EngineSnapshot): Promise<string>;
  /** Called when a checkpoint has failed. */
  onFailure(): void;
  /** Called with how long the caller has been held up. */
  onWaited(seconds: number): void;
}

/**
 * Has checkpoints written while the training continues. One at a time: the next waits, so that no more than one copy of
 * weights and moments is held. The training waits where a snapshot is no copy.
 */
export class BackgroundCheckpoints {
  readonly #source: CheckpointSource;
  /** The last one that was begun. */
  #last: { readonly state: TrainingState; readonly saved: Promise<SavedCheckpoint> } | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** @param resumedFrom what is on disk already */
  constructor(resumedFrom: SavedCheckpoint | undefined, source: CheckpointSource) {
    this.#source = source;
    if (resumedFrom) this.#last = { state: resumedFrom.state, saved: Promise.resolve(resumedFrom) };
  }

  /**
   * Begins the checkpoint of a state, unless it has been begun, and returns when the training may continue.
   *
   * @throws what the write before failed with
   */
  async begin(state: TrainingState): Promise<void> {
    if (this.#last?.state.step === state.step) return;
    await this.#waitFor(async () => {
      await this.#last?.saved;
      const snapshot = await this.#source.snapshot();
      const shared = sharesMemory(snapshot);
      const saved = this.#save(state, snapshot);
      this.#last = { state, saved };
      // The next step would change what is being written.
      if (shared) await saved.catch(() => undefined);
    });
  }

  /** As {@link begin}, but returns when the checkpoint is on disk. */
  async finish(state: TrainingState): Promise<SavedCheckpoint> {
    await this.begin(state);
    return this.#waitFor(() => this.#last!.saved);
  }

  /** Throws the error of a write that has failed, if one has. */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** The last checkpoint that was begun, once it is on disk; undefined where none was. */
  async newest(): Promise<SavedCheckpoint | undefined> {
    return this.#last?.saved;
  }

  /** Returns when nothing is being written any more; a failure is not thrown. */
  async settled(): Promise<void> {
    await this.#last?.saved.catch(() => undefined);
  }

  #save(state: TrainingState, snapshot: EngineSnapshot): Promise<SavedCheckpoint> {
    const saved = this.#source.save(state, snapshot).then((directory) => ({ directory, state }));
    saved.catch((error: unknown) => {
      this.#failure = { error };
      this.#source.onFailure();
    });
    return saved;
  }

  async #waitFor<T>(work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.#source.onWaited((performance.now() - began) / 1000);
    }
  }
}
