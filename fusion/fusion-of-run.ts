import type { Divergence } from '../engine/loss/divergences.ts';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { sourcesOf } from '../process/config/run-sources.ts';
import type { RunConfig } from '../process/config/schema.ts';
import type { FusionSettings } from './fuse/fusion-settings.ts';

/** How a run brings tokens, vocabularies and distributions of its sources together. */
export interface Fusion {
  readonly align: 'boundary' | 'dtw';
  readonly vocabulary: 'exact' | 'minED' | 'prefix';
  readonly settings: FusionSettings;
  /** Candidates that a fused distribution may have. */
  readonly candidates: number;
  readonly divergence: Divergence;
  /** Weight of the causal language modelling loss against the fusion loss. */
  readonly lambda: number;
}

type Preset = Pick<Fusion, 'align' | 'vocabulary' | 'lambda'> &
  Pick<FusionSettings, 'crossEntropyPer' | 'truncated' | 'unaligned'>;

/**
 * What FuseLLM does (arXiv 2401.10491), and what we do where the run file says nothing: what taught best in
 * docs/results.md.
 */
const presets: Readonly<Record<'fusellm' | 'default', Preset>> = {
  fusellm: {
    ...{ align: 'dtw', vocabulary: 'minED', crossEntropyPer: 'token' },
    ...{ truncated: 'renormalise', unaligned: 'nothing', lambda: 0.9 },
  },
  default: {
    ...{ align: 'boundary', vocabulary: 'prefix', crossEntropyPer: 'byte' },
    ...{ truncated: 'tail', unaligned: 'text', lambda: 0.3 },
  },
};

/**
 * The fusion that a run file asks for; what it leaves out comes from the preset.
 *
 * @throws FuseMeshError invalid_argument where the weights do not go with the sources
 */
export function fusionOf(config: RunConfig): Fusion {
  const { fusion, target, topK, trainer } = config;
  const preset = presets[fusion.preset ?? 'default'];
  const names = sourcesOf(config).map(({ name }) => name);
  const { combine = 'minCE', weights = {} } = fusion;
  const unknown = Object.keys(weights).find((name) => !names.includes(name));
  const refuse = (problem: string) => {
    throw new FuseMeshError('invalid_argument', problem);
  };
  if (unknown !== undefined)
    refuse(`fusion.weights names "${unknown}"; the sources of the run are ${names.join(', ')}`);
  if (combine === 'fixed' && !Object.values(weights).some((weight) => weight > 0))
    refuse(
      'fusion.combine is fixed, but fusion.weights gives no source a weight: give one to each that is to teach',
    );
  if (combine !== 'fixed' && fusion.weights !== undefined)
    refuse(
      `fusion.weights has no use with fusion.combine ${combine}: set it to fixed, or leave the weights out`,
    );
  if ((fusion.align ?? preset.align) === 'dtw' && fusion.truncated === 'tail')
    refuse('fusion.truncated tail goes with fusion.align boundary: FuseLLM gives all mass to the candidates');
  if ((fusion.align ?? preset.align) === 'dtw' && fusion.loss !== 'ce')
    refuse(`fusion.loss ${fusion.loss} goes with fusion.align boundary: FuseLLM trains by cross-entropy`);
  const mixes = combine === 'avgCE' || combine === 'fixed';
  const align = fusion.align ?? preset.align;
  const truncated = align === 'dtw' ? 'renormalise' : fusion.loss === 'ce' ? preset.truncated : 'tail';
  return {
    align,
    vocabulary: fusion.vocabulary ?? preset.vocabulary,
    settings: {
      combine,
      weights,
      crossEntropyPer: preset.crossEntropyPer,
      standIn: fusion.preset === 'fusellm' ? target.source?.name : undefined,
      temperature: fusion.temperature,
      unaligned: fusion.unaligned ?? (fusion.loss === 'ce' ? preset.unaligned : 'nothing'),
      truncated: fusion.truncated ?? truncated,
    },
    candidates: mixes ? topK * names.length : topK,
    divergence: fusion.loss === 'jsd' ? { kind: 'jsd', beta: fusion.beta } : { kind: fusion.loss },
    lambda: trainer.lambda ?? preset.lambda,
  };
}
