/** What we write, others read: transformers, peft and ONNX Runtime give our logits. Needs Python. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { weightsByName } from '../engine/engine-snapshot.ts';
import type { TrainingBatch } from '../engine/training-batch.ts';
import { TrainingEngine } from '../engine/training-engine.ts';
import { writeModel } from '../model/export/write-model.ts';
import { readArchitecture } from '../model/families/read-architecture.ts';
import { mergedWeights } from '../model/lora/merged-weights.ts';
import { writeAdapter } from '../model/lora/write-adapter.ts';
import { optionsFor } from '../test/support/engine-options.ts';
import { goldenModels, openExpected, readBatch } from '../test/support/golden.ts';
import { runOracle } from './oracle.ts';
import { writeOurLogits } from './our-logits.ts';

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

/** Writes `model`, the result of full training. */
async function trainWholly(original: string, directory: string, batch: TrainingBatch): Promise<void> {
  const tensors = await train(original, batch, undefined);
  await writeModel(join(directory, 'model'), original, weightsByName(tensors));
  await writeOurLogits(join(directory, 'model'), tokensOf(batch));
}

/** Writes `adapter`, and `merged`, the original with the adapter merged in. */
async function trainAdapter(original: string, directory: string, batch: TrainingBatch): Promise<void> {
  const tensors = await train(original, batch, lora);
  const transposed = [...(await readArchitecture(original)).linearLayers.values()].some(
    (layer) => layer.transposed,
  );
  await writeAdapter(join(directory, 'adapter'), { ...lora, baseModel: original, transposed }, tensors);
  const merged = join(directory, 'merged');
  await writeModel(merged, original, await mergedWeights(original, lora, weightsByName(tensors)));
  await writeOurLogits(merged, tokensOf(batch));
}

async function train(original: string, batch: TrainingBatch, adapters: typeof lora | undefined) {
  const engine = await TrainingEngine.start(original, { ...optionsFor(batch), lora: adapters });
  for (let step = 0; step < steps; step++) await engine.step(batch, 1e-2);
  const { tensors } = await engine.snapshot();
  await engine.close();
  return tensors;
}

/** The golden batches have documents of one length. */
function tokensOf({ lengths, inputIds }: TrainingBatch) {
  return { rows: lengths.length, length: lengths[0], inputIds };
}
