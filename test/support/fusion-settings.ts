import type { FusionSettings } from '../../fusion/fuse/fusion-settings.ts';

/** The fusion of a test that says nothing else: the best source by byte teaches alone, as FuseLLM renormalises it. */
export const fusionSettings: FusionSettings = {
  combine: 'minCE',
  weights: {},
  sharpness: 1,
  switching: 0.02,
  crossEntropyPer: 'byte',
  standIn: undefined,
  unaligned: 'nothing',
  temperature: 1,
  truncated: 'renormalise',
};
