import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Placement } from '../runtime/placement.ts';
import type { BytesCrossed } from '../runtime/session.ts';
import { serveWorker } from '../runtime/worker.ts';
import { BatchedModel, type StepOutcome } from './batched-model.ts';
import type { NewSequence } from './sequence.ts';

/** By the numbers under which they were loaded. */
const models = new Map<number, BatchedModel>();
const crossed: BytesCrossed = { toDevice: 0, fromDevice: 0 };
let cacheBytes = 0;

const methods = {
  /**
   * Loads weights under a number, beside the steps of others.
   *
   * @param most bytes of all caches
   * @returns operators that the processor computes although the model is on a device, by their names in ONNX
   */
  async load(
    number: number,
    directory: string,
    {
      threads,
      most,
      placement,
    }: { readonly threads: number; readonly most: number; readonly placement?: Placement | undefined },
  ): Promise<ReadonlySet<string>> {
    cacheBytes = most;
    const model = await BatchedModel.open(directory, { threads, ...placement, crossed });
    models.set(number, model);
    return model.session.onProcessor;
  },

  /** Starts a sequence: the next steps read its prompt and give its tokens. */
  begin(number: number, sequence: NewSequence): void {
    const model = models.get(number);
    if (!model) throw new FuseMeshError('internal', `no model ${number}`);
    model.begin(sequence);
    fitCaches();
  },

  /** A token for each sequence whose prompt has been read. */
  async step(): Promise<readonly StepOutcome[]> {
    const outcomes: StepOutcome[] = [];
    for (const model of models.values()) outcomes.push(...(await model.step()));
    return outcomes;
  },

  end(sequence: number): void {
    for (const model of models.values()) {
      if (!model.end(sequence)) continue;
      if (model.sequences.length === 0) model.cache.fit([], 0);
      return;
    }
  },

  /** Frees a model that has no sequences any more. */
  async release(number: number): Promise<void> {
    const model = models.get(number);
    models.delete(number);
    await model?.close();
  },

  /** All that has gone to a device and come from there; the weights left out. */
  crossed: (): BytesCrossed => crossed,
};

/** Who begins a sequence sees to it that all caches have room when none has more than it needs. */
function fitCaches(): void {
  const all = [...models.values()];
  const others = (model: BatchedModel) =>
    all.reduce((sum, other) => sum + (other === model ? 0 : other.cache.bytes), 0);
  for (const model of all) model.cache.fit(model.sequences, cacheBytes - others(model));
}

export type GenerationMethods = typeof methods;
serveWorker(methods, { apart: ['load'] });
