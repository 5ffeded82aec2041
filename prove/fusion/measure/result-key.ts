import { createHash } from 'node:crypto';
import { fusionOf } from '../../../fusion/fusion-of-run.ts';
import { engineOptionsOf } from '../../../trainer/engine-of-run.ts';
import type { ExperimentSettings } from '../experiment.ts';

/** What a result depends on beside the settings of its experiment. */
export interface Circumstances {
  readonly seed: number;
  /** SHA-256 in hexadecimal of the documents and of the held-out texts. */
  readonly documents: string;
  readonly heldOut: string;
  /** Fingerprints in hexadecimal, the target's first. */
  readonly models: readonly string[];
  readonly code: string;
}

/**
 * The same for all that must give the same weights, whatever it is called: an experiment that sets what is the
 * default anyway has the default's key.
 */
export function resultKey(
  { config, sources, share, passes, topP }: ExperimentSettings,
  circumstances: Circumstances,
): string {
  const { batchDocuments, learningRate, schedule, warmupRatio, warmupSteps } = config.trainer;
  const fusion = fusionOf(config);
  const decides = {
    sources,
    share,
    passes,
    topK: config.topK,
    topP,
    fusion,
    engine: engineOptionsOf(config, fusion),
    batchDocuments,
    learningRate,
    schedule,
    warmupRatio,
    warmupSteps,
    circumstances,
  };
  // The target as it was is that of all settings.
  const what = share === 0 ? { share, circumstances } : decides;
  return createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 32);
}
