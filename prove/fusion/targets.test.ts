import { expect, test } from 'vitest';
import { modelDirectory } from '../../examples/zoo/layout.ts';
import { targetOfSeed } from './targets.ts';

test('seed 0 is the target of the zoo as it is', async () => {
  expect(await targetOfSeed(0)).toBe(modelDirectory('target'));
});
