import { type Rotary, rotaryFrequencies } from '../families/rotary-frequencies.ts';
import type { Metadata } from './metadata.ts';

/** config.json's rope_scaling. */
export type RotaryScaling = Rotary['scaling'];

/** What a value does not change: the scale of attention that yarn has anyway. */
const neutral = { attn_factor: 1, yarn_attn_factor: 1, yarn_ext_factor: 1, yarn_log_multiplier: 0, alpha: 0 };

/**
 * What the metadata say of stretched rotary positions; null where there is nothing.
 *
 * @throws FuseMeshError invalid_argument for a kind of scaling that no family of ours has
 */
export function scalingOf(metadata: Metadata, architecture: string): RotaryScaling | null {
  const key = (name: string) => `${architecture}.rope.${name}`;
  const type = metadata.optionalString(key('scaling.type')) ?? 'none';
  const factor =
    metadata.optionalNumber(key('scaling.factor')) ?? metadata.optionalNumber(key('scale_linear')) ?? 1;
  const original = metadata.optionalNumber(key('scaling.original_context_length'));
  const fast = metadata.optionalNumber(key('scaling.yarn_beta_fast'));
  const slow = metadata.optionalNumber(key('scaling.yarn_beta_slow'));
  metadata.optionalBoolean(key('scaling.finetuned'));
  for (const [name, value] of Object.entries(neutral)) {
    const given = metadata.optionalNumber(key(`scaling.${name}`));
    if (given !== undefined && given !== value)
      throw metadata.refusal(key(`scaling.${name}`), `is ${given}, which FuseMesh does not compute`);
  }
  // llama.cpp takes a factor without a type as linear.
  if (type === 'linear' || (type === 'none' && factor !== 1)) {
    return factor === 1 ? null : { rope_type: 'linear', factor };
  }
  if (type === 'none') return null;
  if (type !== 'yarn')
    throw metadata.refusal(key('scaling.type'), `is "${type}"; none, linear and yarn are supported`);
  return {
    rope_type: 'yarn',
    factor,
    ...(original !== undefined && { original_max_position_embeddings: original }),
    ...(fast !== undefined && { beta_fast: fast }),
    ...(slow !== undefined && { beta_slow: slow }),
    truncate: true,
  };
}

/**
 * Llama 3's scaling, which a GGUF has as a factor for every frequency (the tensor rope_freqs). All of Llama's own models
 * have the same bounds, and llama.cpp's converter computes with the same original context.
 *
 * @param factors [r]
 * @returns undefined where no scaling of this kind gives these factors
 */
export function llama3Scaling(
  factors: Float32Array,
  rotary: Omit<Rotary, 'scaling' | 'half'>,
): RotaryScaling | undefined {
  const half = factors.length;
  const scaling: RotaryScaling = {
    rope_type: 'llama3',
    factor: Math.max(...factors),
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  };
  const plain = rotaryFrequencies({ ...rotary, half, scaling: { rope_type: 'default' } }).perPosition;
  const scaled = rotaryFrequencies({ ...rotary, half, scaling }).perPosition;
  // The converter computes in float32, in another order.
  const same = factors.every((factor, i) => Math.abs((scaled[i] * factor) / plain[i] - 1) < 1e-5);
  return same ? scaling : undefined;
}
