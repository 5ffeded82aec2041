import type { Divergence } from '../engine/loss/divergences.ts';
import { combineOf, presetOf } from '../process/config/fusion-presets.ts';
import { sourcesOf } from '../process/config/run-sources.ts';
import type { RunConfig } from '../process/config/schema.ts';
import type { FusionSettings } from './fuse/fusion-settings.ts';

/** How a run aligns tokens, maps vocabularies and fuses distributions. */
export interface Fusion {
  readonly align: 'boundary' | 'dtw';
  readonly vocabulary: 'exact' | 'minED' | 'prefix';
  readonly settings: FusionSettings;
  /** Most candidates of a fused distribution. */
  readonly candidates: number;
  readonly divergence: Divergence;
  /** The same of what the target writes itself; undefined where it writes nothing. */
  readonly rolloutDivergence?: Divergence | undefined;
  /** Weight of the causal language modelling loss against the fusion loss. */
  readonly lambda: number;
}

/** The fusion that a run file asks for; what it leaves out comes from the preset. */
export function fusionOf(config: RunConfig): Fusion {
  const { fusion, onPolicy, target, topK, trainer } = config;
  const preset = presetOf(fusion);
  const { weights = {}, align = preset.align } = fusion;
  const combine = combineOf(fusion);
  const mixes = combine !== 'minCE';
  const truncated = align === 'dtw' ? 'renormalise' : fusion.loss === 'ce' ? preset.truncated : 'tail';
  const drawnAlone = onPolicy?.loss === 'policyGradient' && onPolicy.share === 1;
  return {
    align,
    vocabulary: fusion.vocabulary ?? preset.vocabulary,
    settings: {
      combine,
      weights,
      sharpness: fusion.sharpness,
      switching: fusion.switching,
      crossEntropyPer: preset.crossEntropyPer,
      standIn: fusion.preset === 'fusellm' ? target.source?.name : undefined,
      temperature: fusion.temperature,
      unaligned: fusion.unaligned ?? (fusion.loss === 'ce' ? preset.unaligned : 'nothing'),
      truncated: fusion.truncated ?? truncated,
    },
    candidates: drawnAlone ? 1 : mixes ? topK * sourcesOf(config).length : topK,
    divergence: divergenceOf(fusion),
    rolloutDivergence: onPolicy && divergenceOf(onPolicy),
    lambda: trainer.lambda ?? preset.lambda,
  };
}

const divergenceOf = ({
  loss,
  beta,
}: {
  readonly loss: Divergence['kind'];
  readonly beta: number;
}): Divergence => (loss === 'jsd' ? { kind: loss, beta } : { kind: loss });
