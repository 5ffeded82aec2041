import { join } from 'node:path';
import { readArchitecture } from '../../model/families/read-architecture.ts';
import { parameterCount } from '../../model/families/weight-shapes.ts';
import { adapterShapes } from '../../model/lora/adapters.ts';
import { targetLayers } from '../../model/lora/target-layers.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { byteSize } from '../view/words.ts';
import { bytesBelow, type DiskSpace, expectWritable, spaceAt } from './disk-space.ts';
import { type Finding, ok, problem } from './finding.ts';

const bytesPerValue = 4;
/** Weights and both moments of AdamW. */
const valuesInCheckpoint = 3;

/**
 * Compares what a run writes with the room on its disk.
 *
 * @throws FuseMeshError permission_denied where it may not write
 */
export async function checkStorage(config: RunConfig): Promise<readonly Finding[]> {
  const { output } = config.trainer;
  const { model, lora } = config.target;
  await expectWritable('trainer.output', output);
  const architecture = await readArchitecture(model);
  const trained = lora
    ? adapterShapes(targetLayers(architecture, lora.targetModules), lora.rank)
    : architecture.weights;
  const parameters = {
    trained: parameterCount(trained),
    all: parameterCount(architecture.weights),
  };
  const written = await Promise.all(
    ['checkpoints', 'adapter', 'model'].map((name) => bytesBelow(join(output, name))),
  );
  const there = written.reduce((sum, bytes) => sum + bytes, 0);
  return [judgeStorage(config, storageOf(config, parameters), there, await spaceAt(output))];
}

/** The most that checkpoints and the fused model of a run take on disk, in bytes. */
export interface Storage {
  readonly checkpoint: number;
  /** Those that are kept, the best where there are evaluations, and the one that is being written. */
  readonly checkpoints: number;
  readonly total: number;
}

export function storageOf(
  { trainer }: Pick<RunConfig, 'trainer'>,
  parameters: { readonly trained: number; readonly all: number },
): Storage {
  const checkpoint = bytesPerValue * valuesInCheckpoint * parameters.trained;
  const checkpoints = trainer.keepCheckpoints + 1 + (trainer.evaluateEvery === undefined ? 0 : 1);
  return { checkpoint, checkpoints, total: checkpoints * checkpoint + bytesPerValue * parameters.all };
}

/** @param there what the run has written before, which is replaced */
export function judgeStorage(
  { trainer }: Pick<RunConfig, 'trainer'>,
  { checkpoint, checkpoints, total }: Storage,
  there: number,
  { free, path }: DiskSpace,
): Finding {
  const text =
    `${checkpoints} checkpoints of ${byteSize(checkpoint)} and the fused model take up to ${byteSize(total)}; ` +
    `${byteSize(free)} are free at ${path}${there > 0 ? `, ${byteSize(there)} are written` : ''}`;
  return total <= free + there
    ? ok('disk', text)
    : problem(
        'disk',
        `${text}: make room, lower trainer.keepCheckpoints (${trainer.keepCheckpoints}), or set trainer.output to another disk`,
      );
}
