import type { Evidence } from './evidence-weights.ts';

/** How what the sources say becomes one distribution a position. */
export interface FusionSettings extends Evidence {
  /** How sources are weighed against each other. */
  readonly combine: 'minCE' | 'evidence' | 'avgCE' | 'fixed';
  /** By source, for `fixed`; a source without a weight has none. */
  readonly weights: Readonly<Record<string, number>>;
  /** The unit in which sources with different tokenizers are compared. */
  readonly crossEntropyPer: 'byte' | 'token';
  /** Name of the source that is taken where another has nothing to say. */
  readonly standIn: string | undefined;
  /** Flattens (above 1) or sharpens (below 1) a source among its k candidates. */
  readonly temperature: number;
  /**
   * What becomes of the mass outside of the candidates: `renormalise` gives it to them (FuseLLM), `tail` leaves
   * it to the rest of the vocabulary, spread as the target itself spreads it, so that truncation does not sharpen.
   */
  readonly truncated: 'renormalise' | 'tail';
  /**
   * What the fusion loss learns where no source has anything to say: the `text`, as if a source were certain of it,
   * or `nothing`, so that such a position counts for less than others, the less the smaller λ is.
   */
  readonly unaligned: 'text' | 'nothing';
}
