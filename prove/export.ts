/** What we write, others read: transformers, peft and ONNX Runtime give our logits. Needs Python. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { writeModel } from '../model/export/write-model.ts';
import { readArchitecture } from '../model/families/read-architecture.ts';
import { openWeights, weightConstant } from '../model/families/weights.ts';
import { createGraph } from '../model/graph/operators.ts';
import { mergedWeights } from '../model/lora/merged-weights.ts';
import { writeAdapter } from '../model/lora/write-adapter.ts';
import { emitModel } from '../model/onnx/emit.ts';
import { openSession } from '../model/runtime/session.ts';
import { writeSafetensors } from '../model/safetensors/write-safetensors.ts';
import { goldenModels, openExpected, readBatch } from '../test/support/golden.ts';
import { weightsByName } from '../trainer/engine/engine-snapshot.ts';
import type { TrainingBatch } from '../trainer/engine/training-batch.ts';
import { TrainingEngine } from '../trainer/engine/training-engine.ts';
import { runOracle } from './oracle.ts';

const options = { lambda: 0.9, weightDecay: 0.1, beta1: 0.9, beta2: 0.95, clipNorm: 1, threads: 1 };
const lora = { rank: 4, alpha: 8, targetModules: 'all-linear' };
const steps = 5;

const root = await mkdtemp(join(tmpdir(), 'fusemesh-prove-export-'));
try {
  for (const original of goldenModels()) {
    const expected = await openExpected(original);
    const batch = await readBatch(expected);
    await expected.close();
    const directory = join(root, basename(original));
    await mkdir(directory);
    await trainWholly(original, directory, batch);
    await trainAdapter(original, directory, batch);
  }
  await runOracle('exports.py', [root]);
} finally {
  await rm(root, { recursive: true });
}

/** model: what full training made. */
async function trainWholly(original: string, directory: string, batch: TrainingBatch): Promise<void> {
  const tensors = await train(original, batch, undefined);
  await writeModel(join(directory, 'model'), original, weightsByName(tensors));
  await writeLogits(join(directory, 'model'), batch);
}

/** adapter, and merged: it folded into the original. */
async function trainAdapter(original: string, directory: string, batch: TrainingBatch): Promise<void> {
  const tensors = await train(original, batch, lora);
  const transposed = [...(await readArchitecture(original)).linearLayers.values()].some(
    (layer) => layer.transposed,
  );
  await writeAdapter(join(directory, 'adapter'), { ...lora, baseModel: original, transposed }, tensors);
  const merged = join(directory, 'merged');
  await writeModel(merged, original, await mergedWeights(original, lora, weightsByName(tensors)));
  await writeLogits(merged, batch);
}

async function train(original: string, batch: TrainingBatch, adapters: typeof lora | undefined) {
  const engine = await TrainingEngine.start(original, { ...options, ...batch, lora: adapters });
  for (let step = 0; step < steps; step++) await engine.step(batch, 1e-2);
  const { tensors } = await engine.snapshot();
  await engine.close();
  return tensors;
}

/** DIRECTORY.logits.safetensors: input_ids [B, T] and our logits [B · T, V] of the model in DIRECTORY. */
async function writeLogits(directory: string, { rows, length, inputIds }: TrainingBatch): Promise<void> {
  const architecture = await readArchitecture(directory);
  const source = await openWeights(directory, architecture);
  const graph = createGraph();
  const input = {
    inputIds: graph.input('input_ids', 'int32', [rows, length]),
    positions: graph.input('position_ids', 'int64', [rows, length]),
    weight: (name: string) => weightConstant(graph, source.tensors.get(name)!),
  };
  const logits = architecture.logits(architecture.hiddenStates(input), input);
  const session = await openSession(emitModel({ logits }), { threads: 1, weightsDirectory: directory });
  const ids = Int32Array.from(inputIds);
  const positions = BigInt64Array.from(ids, (_, i) => BigInt(i % length));
  const results = await session.run({
    input_ids: { data: ids, shape: [rows, length] },
    position_ids: { data: positions, shape: [rows, length] },
  });
  await session.close();
  await source.close();
  const bytes = (data: Int32Array | Float32Array) =>
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const { vocabularySize } = architecture;
  await writeSafetensors(`${directory}.logits.safetensors`, [
    { name: 'input_ids', dtype: 'I32', shape: [rows, length], data: bytes(ids) },
    {
      name: 'logits',
      dtype: 'F32',
      shape: [rows * length, vocabularySize],
      data: bytes(results['logits'] as Float32Array),
    },
  ]);
}
