import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { optionsOnDevice } from '../support/engine-options.ts';
import {
  goldenAdapters,
  goldenModel,
  goldenModels,
  openExpected,
  readBatch,
  readGoldenAdapter,
} from '../support/golden.ts';
import { gradientErrors, gradientsOf } from '../support/training-gradients.ts';
import { refusalOfDevice } from './software-device.ts';

const refusal = await refusalOfDevice();
/** All of them take a minute on a software device: `npm run test:webgpu` does, and `npm test` takes one of each architecture. */
const models = process.env['FUSEMESH_WEBGPU'] === undefined ? oneOfEach(goldenModels()) : goldenModels();

function oneOfEach(paths: readonly string[]): string[] {
  const architectures = new Map(paths.map((path) => [basename(path).split('-')[0], path]));
  return [...architectures.values()];
}

const named = (paths: readonly string[]) => paths.map((path) => [basename(path), path] as const);

function expectSmall(errors: ReadonlyMap<string, number>): void {
  for (const [name, error] of errors) expect(error, name).toBeLessThan(1e-3);
}

describe.skipIf(refusal)(`the engine's gradients on a device${refusal ? ` (${refusal})` : ''}`, () => {
  it.each(named(models))("are PyTorch's: %s", async (_, directory) => {
    const expected = await openExpected(directory);
    const batch = await readBatch(expected);
    const errors = await gradientErrors(directory, optionsOnDevice(batch), batch, expected);
    const gradients = [...expected.tensors.keys()].filter((name) => name.startsWith('gradient:'));
    expect([...errors.keys()].map((name) => `gradient:${name}`).sort()).toEqual(gradients.sort());
    expectSmall(errors);
    await expected.close();
  });

  it.each(named(goldenAdapters()))("are peft's, of adapters: %s", async (_, directory) => {
    const { lora, base, shapes, adapters } = await readGoldenAdapter(directory);
    const expected = await openExpected(directory);
    const batch = await readBatch(expected);
    const errors = await gradientErrors(base, { ...optionsOnDevice(batch), lora }, batch, expected, adapters);
    expect([...errors.keys()].sort()).toEqual([...shapes.keys()].sort());
    expectSmall(errors);
    await expected.close();
  });

  it.each(['llama-grouped-tied', 'gpt2-tied', 'mpt-untied'])(
    'are the same in parts, and with blocks computed again in the backward pass: %s',
    async (family) => {
      const directory = goldenModel(family);
      const expected = await openExpected(directory);
      const batch = await readBatch(expected);
      const options = optionsOnDevice(batch);
      expectSmall(await gradientErrors(directory, { ...options, rowsAtOnce: 1 }, batch, expected));
      const whole = await gradientsOf(directory, options, batch);
      expect(await gradientsOf(directory, { ...options, recompute: true }, batch)).toEqual(whole);
      await expected.close();
    },
  );
});
