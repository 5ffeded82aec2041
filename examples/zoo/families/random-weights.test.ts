import { expect, test } from 'vitest';
import { readArchitecture } from '../../../model/families/read-architecture.ts';
import { fromFloat16 } from '../../../numbers/float16.ts';
import { modelDirectory } from '../layout.ts';
import { zoo } from '../zoo.ts';
import { normalNumbers, randomWeights } from './random-weights.ts';

test.each(zoo)('$name: random weights of the seed, norms the identity, biases nothing', async ({ name }) => {
  const architecture = await readArchitecture(modelDirectory(name));
  const weights = randomWeights(architecture, 1);
  expect(weights.map((tensor) => tensor.name)).toEqual([...architecture.weights.keys()]);
  const again = randomWeights(architecture, 1);
  const other = randomWeights(architecture, 2);
  for (const [i, { name: tensor, data }] of weights.entries()) {
    expect(Buffer.compare(again[i].data, data), tensor).toBe(0);
    const values = fromFloat16(new Uint16Array(data.buffer)).sort();
    const range = [values[0], values[values.length - 1]];
    if (tensor.endsWith('.bias')) expect(range, tensor).toEqual([0, 0]);
    else if (tensor.includes('norm')) expect(range, tensor).toEqual([1, 1]);
    else {
      expect(range[0], tensor).toBeLessThan(-0.05);
      expect(range[1], tensor).toBeGreaterThan(0.05);
      expect(Buffer.compare(other[i].data, data), tensor).not.toBe(0);
    }
  }
});

test('normal numbers have mean 0 and the standard deviation asked for', () => {
  const numbers = Array.from({ length: 20_000 }, normalNumbers(3, 0.02));
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const variance = numbers.reduce((sum, number) => sum + (number - mean) ** 2, 0) / numbers.length;
  expect(Math.abs(mean)).toBeLessThan(0.0005);
  expect(Math.abs(Math.sqrt(variance) - 0.02)).toBeLessThan(0.0005);
});
