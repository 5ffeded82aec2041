import { basename } from 'node:path';
import { expect, it } from 'vitest';
import { goldenAdapters, goldenModel, largestDifference, openExpected } from '../../test/support/golden.ts';
import { goldenCases } from './golden-case.ts';
import { scoreCase } from './scored-case.ts';
import { reference } from './settings.ts';
import { trainCase, trainingDifference } from './trained-case.ts';

const cases = await goldenCases();
const named = (name: string) => cases.find((golden) => golden.name === name)!;
const goldenDirectory = (name: string) =>
  goldenAdapters().find((path) => `LoRA ${basename(path)}` === name) ?? goldenModel(name);

it('takes one of every family and an adapter first', () => {
  const kinds = cases.map(({ name }) => (name.startsWith('LoRA') ? 'LoRA' : name.split('-')[0]));
  const count = new Set(kinds).size;
  expect(new Set(kinds.slice(0, count)).size).toBe(count);
  expect(cases.length).toBeGreaterThan(count);
});

it.each(['llama-grouped-tied', 'LoRA mpt'])('finds the gradients of PyTorch: %s', async (name) => {
  const { gradients } = await trainCase(named(name), reference, 1);
  expect(gradients.size).toBeGreaterThan(3);
  const expected = await openExpected(goldenDirectory(name));
  for (const [tensor, gradient] of gradients) {
    const right = await expected.readFloat32(`gradient:${tensor}`);
    const scale = Math.max(...right.map(Math.abs));
    expect(largestDifference(gradient, right) / scale, tensor).toBeLessThan(1e-4);
  }
  await expected.close();
});

it('sees a difference in every figure, and NaN where a tensor is missing', async () => {
  const right = await trainCase(named('gpt2-tied'), reference, 2);
  expect(trainingDifference(right, right)).toEqual({ gradients: 0, losses: 0, weights: 0 });
  const other = await trainCase(named('gpt2-one-head'), reference, 2);
  const { gradients, losses, weights } = trainingDifference(other, right);
  expect(Math.min(gradients, losses, weights)).toBeGreaterThan(0.01);
  const nothing = { ...right, gradients: new Map(), movements: new Map() };
  expect(trainingDifference(nothing, right)).toEqual({
    gradients: Number.NaN,
    losses: 0,
    weights: Number.NaN,
  });
});

it('gives the log-probabilities of all tokens by their ids', async () => {
  const golden = named('qwen3-wide');
  const logits = await (await openExpected(golden.directory)).readFloat32('logits');
  const scores = await scoreCase(golden, reference);
  const vocabulary = 50;
  expect(scores.length).toBe(golden.batch.inputIds.length * vocabulary);
  for (let row = 0; row < scores.length; row += vocabulary) {
    const ofRow = logits.subarray(row, row + vocabulary);
    const normalizer = Math.log(ofRow.reduce((sum, logit) => sum + Math.exp(logit), 0));
    const right = ofRow.map((logit) => logit - normalizer);
    expect(largestDifference(scores.subarray(row, row + vocabulary), right)).toBeLessThan(1e-4);
  }
});
