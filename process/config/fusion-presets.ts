import type { RunConfig } from './schema.ts';

/**
 * What FuseLLM does (arXiv 2401.10491), and what we do where the run file says nothing: what taught best in
 * docs/results.md.
 */
const presets = {
  fusellm: {
    align: 'dtw',
    vocabulary: 'minED',
    combine: 'minCE',
    crossEntropyPer: 'token',
    truncated: 'renormalise',
    unaligned: 'nothing',
    lambda: 0.9,
  },
  default: {
    align: 'boundary',
    vocabulary: 'prefix',
    combine: 'evidence',
    crossEntropyPer: 'byte',
    truncated: 'tail',
    unaligned: 'text',
    lambda: 0.15,
  },
} as const;

/** Where a run file's fusion and trainer.lambda take what they leave out from. */
export const presetOf = ({ preset }: RunConfig['fusion']) => presets[preset ?? 'default'];

/** Who teaches. By evidence only where sources are aligned to the byte, which time warping is not. */
export function combineOf(fusion: RunConfig['fusion']): NonNullable<RunConfig['fusion']['combine']> {
  const preset = presetOf(fusion);
  const { align = preset.align, combine } = fusion;
  return combine ?? (align === 'dtw' ? 'minCE' : preset.combine);
}
