import { join } from 'node:path';
import { experiments } from './experiments.ts';
import { loadDemo } from './measure/settings.ts';
import { keptDirectory } from './places.ts';
import type { Study } from './study.ts';

/** The example models on the demo's corpus. */
export async function openDemoStudy(): Promise<Study> {
  return { config: await loadDemo(), experiments, resultsPath: join(keptDirectory, 'results.jsonl') };
}
