import type { Architecture } from '../../model/families/architecture.ts';
import { emitModel } from '../../model/onnx/emit.ts';
import { openSession } from '../../model/runtime/session.ts';
import type { SafetensorsFile } from '../../model/safetensors/safetensors-file.ts';
import { emptyTargets, fillTargets } from '../../trainer/engine/fused-loss.ts';
import type { TrainedPart } from '../../trainer/engine/trained-part.ts';
import type { TrainingBatch } from '../../trainer/engine/training-batch.ts';
import { gradientName, trainingGraph } from '../../trainer/engine/training-graph.ts';
import { largestDifference } from './golden.ts';

/** A model, what is trained of it and with which values, and the batch. */
export interface GradientCase {
  readonly architecture: Architecture;
  /** Where weights that are not trained are read from. */
  readonly directory: string;
  readonly part: TrainedPart;
  readonly values: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
  readonly batch: TrainingBatch;
  readonly lambda: number;
}

/**
 * Compares the training graph's gradient of every trained tensor with gradient:NAME of a golden file.
 *
 * @returns by name, the largest difference in parts of the tensor's largest gradient
 */
export async function gradientErrors(
  { architecture, directory, part, values, batch, lambda }: GradientCase,
  expected: SafetensorsFile,
): Promise<ReadonlyMap<string, number>> {
  const { rows, length, candidates, labels } = batch;
  const session = await openSession(emitModel(trainingGraph(architecture, part, batch)), {
    threads: 1,
    weightsDirectory: directory,
  });
  const shape = [rows, length];
  const columns = [labels.length, 1 + candidates];
  const targets = emptyTargets(labels.length, candidates);
  fillTargets(targets, batch, lambda);
  const results = await session.run({
    input_ids: { data: Int32Array.from(batch.inputIds), shape },
    position_ids: { data: BigInt64Array.from(labels, (_, i) => BigInt(i % length)), shape },
    target_ids: { data: targets.ids, shape: columns },
    target_weights: { data: targets.weights, shape: columns },
    tail_weights: { data: targets.tailWeights, shape: [labels.length, 1] },
    ...Object.fromEntries([...values].map(([name, data]) => [name, { data, shape: part.shapes.get(name)! }])),
  });
  await session.close();
  const errors = new Map<string, number>();
  for (const name of values.keys()) {
    const right = await expected.readFloat32(`gradient:${name}`);
    const scale = right.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    errors.set(name, largestDifference(results[gradientName(name)] as Float32Array, right) / scale);
  }
  return errors;
}
