import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { llamaConfigs } from './llama-config.ts';
import { rotaryFrequencies } from './rotary-frequencies.ts';

interface Golden {
  readonly config: { readonly model_type: keyof typeof llamaConfigs };
  readonly inverse_frequencies: number[];
  readonly amplitude: number;
  readonly context: number;
  readonly key_value_heads: number;
  readonly head_size: number;
  readonly sliding_window: number | null;
}

/** What transformers makes of them: test/oracle/configs.py. */
const golden: Record<string, Golden> = JSON.parse(
  readFileSync(new URL('../../test/golden-configs.json', import.meta.url), 'utf8'),
);

const sizes = {
  vocab_size: 8,
  hidden_size: 8,
  intermediate_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
};

describe('what a config.json says twice, elsewhere or not at all counts as in transformers', () => {
  test.each(Object.entries(golden))('%s', (_, expected) => {
    const { model_type: family } = expected.config;
    const config = llamaConfigs[family].parse(expected.config);
    const { rotary, window } = config.layerOf(0);
    const { perPosition, amplitude } = rotaryFrequencies(rotary!);
    expect(perPosition.length).toBe(expected.inverse_frequencies.length);
    for (const [i, frequency] of expected.inverse_frequencies.entries()) {
      expect(Math.abs(perPosition[i] / frequency - 1)).toBeLessThan(1e-6);
    }
    expect(amplitude).toBeCloseTo(expected.amplitude, 6);
    expect(config.contextLength).toBe(expected.context);
    expect(window).toBe(family === 'mistral' ? (expected.sliding_window ?? undefined) : undefined);
    expect(config.keyValueHeads).toBe(expected.key_value_heads);
    expect(config.headSize).toBe(expected.head_size);
  });
});

test.each([
  [{ rope_scaling: { rope_type: 'su', factor: 2 } }, 'is not supported; supported: default, linear'],
  [{ rope_scaling: 4 }, 'must be an object'],
  [{ rope_scaling: { rope_type: 'linear', factor: null } }, 'expected number, received null'],
  [{ partial_rotary_factor: 0.5 }, 'only 1 is supported'],
])('%j is refused', (change, problem) => {
  expect(() => llamaConfigs.llama.parse({ ...sizes, ...change })).toThrow(problem);
});
