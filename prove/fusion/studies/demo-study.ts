import { experiments } from '../experiments.ts';
import { loadDemo } from '../measure/settings.ts';
import type { Study } from '../study.ts';

/** The example models on the demo's corpus: what docs/results.md is about. */
export const openDemoStudy = async (): Promise<Study> => ({
  name: 'demo',
  config: await loadDemo(),
  experiments,
});
