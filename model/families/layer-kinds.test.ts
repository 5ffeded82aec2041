import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { gemmaConfigs } from './gemma.ts';
import { graniteConfig } from './granite.ts';
import { llamaConfigs } from './llama-config.ts';
import { olmo2Config } from './olmo2.ts';
import { phi3Config } from './phi3.ts';
import { rotaryFrequencies } from './rotary-frequencies.ts';
import { smollm3Config } from './smollm3.ts';
import { stablelmConfig } from './stablelm.ts';
import { starcoder2Config } from './starcoder2.ts';

const configs = {
  ...llamaConfigs,
  ...gemmaConfigs,
  phi3: phi3Config,
  olmo2: olmo2Config,
  smollm3: smollm3Config,
  granite: graniteConfig,
  starcoder2: starcoder2Config,
  stablelm: stablelmConfig,
};

interface Golden {
  readonly config: { readonly model_type: keyof typeof configs };
  readonly key_value_heads: number;
  readonly head_size: number;
  readonly tied: boolean;
  readonly kinds: readonly {
    readonly inverse_frequencies: readonly number[] | null;
    readonly amplitude: number;
    readonly window: number | null;
  }[];
  readonly kind_of_layer: readonly number[];
}

/** What transformers makes of them: test/oracle/configs.py. */
const golden: Record<string, Golden> = JSON.parse(
  readFileSync(new URL('../../test/golden-layers.json', import.meta.url), 'utf8'),
);

test.each(Object.entries(golden))(
  'the layers of a config.json are those of transformers: %s',
  (_, expected) => {
    const config = configs[expected.config.model_type].parse(expected.config);
    expect(config.keyValueHeads).toBe(expected.key_value_heads);
    expect(config.headSize).toBe(expected.head_size);
    expect(config.tiedHead).toBe(expected.tied);
    for (const [layer, kind] of expected.kind_of_layer.entries()) {
      const { inverse_frequencies, amplitude, window } = expected.kinds[kind];
      const { rotary, window: ours } = config.layerOf(layer);
      expect(ours ?? null, `window of layer ${layer}`).toBe(window);
      expect(rotary === undefined).toBe(inverse_frequencies === null);
      if (rotary === undefined || inverse_frequencies === null) continue;
      const computed = rotaryFrequencies(rotary);
      expect(computed.perPosition).toHaveLength(inverse_frequencies.length);
      for (const [i, frequency] of inverse_frequencies.entries()) {
        expect(
          Math.abs(computed.perPosition[i] / frequency - 1),
          `frequency ${i} of layer ${layer}`,
        ).toBeLessThan(1e-6);
      }
      expect(computed.amplitude).toBeCloseTo(amplitude, 6);
    }
  },
);
