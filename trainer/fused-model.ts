import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RunConfig } from '../process/config/schema.ts';

/** Where the trainer of a run writes the fused model. */
export const fusedModelDirectory = (config: Pick<RunConfig, 'trainer'>): string =>
  join(config.trainer.output, 'model');

/** Whether the trainer has done its last step. */
export const fusedModelIsWritten = (config: Pick<RunConfig, 'trainer'>): boolean =>
  existsSync(join(fusedModelDirectory(config), 'config.json'));
