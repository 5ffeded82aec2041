import { basename } from 'node:path';
import type { EngineSnapshot } from '../../engine/engine-snapshot.ts';
import type { TrainingBatch } from '../../engine/training-batch.ts';
import type { LoraSettings } from '../../model/lora/lora-settings.ts';
import {
  goldenAdapters,
  goldenModels,
  openExpected,
  readBatch,
  readGoldenAdapter,
} from '../../test/support/golden.ts';

/** A golden model, or an adapter with its model, and the batch of its golden file. */
export interface GoldenCase {
  readonly name: string;
  /** Of the model. */
  readonly directory: string;
  readonly batch: TrainingBatch;
  readonly adapter: Adapter | undefined;
}

interface Adapter {
  readonly settings: LoraSettings;
  /** As an engine restores it before the first step. */
  readonly untrained: EngineSnapshot;
}

/** All of them: first one of every family and an adapter, so that little time shows as much as it can. */
export async function goldenCases(): Promise<GoldenCase[]> {
  const models = await Promise.all(goldenModels().map(modelCase));
  const adapters = await Promise.all(goldenAdapters().map(adapterCase));
  const seen = new Map<string, number>();
  const turns = new Map(
    [...models, ...adapters].map((each) => {
      const kind = each.adapter ? 'lora' : each.name.split('-')[0];
      const turn = seen.get(kind) ?? 0;
      seen.set(kind, turn + 1);
      return [each, turn];
    }),
  );
  return [...turns.keys()].sort((a, b) => turns.get(a)! - turns.get(b)!);
}

async function modelCase(directory: string): Promise<GoldenCase> {
  return { name: basename(directory), directory, batch: await batchOf(directory), adapter: undefined };
}

async function adapterCase(directory: string): Promise<GoldenCase> {
  const { lora, base, untrained } = await readGoldenAdapter(directory);
  return {
    name: `LoRA ${basename(directory)}`,
    directory: base,
    batch: await batchOf(directory),
    adapter: { settings: lora, untrained },
  };
}

async function batchOf(directory: string): Promise<TrainingBatch> {
  const expected = await openExpected(directory);
  try {
    return await readBatch(expected);
  } finally {
    await expected.close();
  }
}
