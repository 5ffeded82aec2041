import { expect, it } from 'vitest';
import { runtimeHere } from './providers.ts';

it('finds what ONNX Runtime computes on, and says what to do about the rest', async () => {
  const { version, refusals } = await runtimeHere();
  expect(version).toMatch(/^1\.\d+\.\d+/);
  expect(refusals.cpu).toBeUndefined();
  if (refusals.cuda !== undefined)
    expect(refusals.cuda).toMatch(/cannot compute on a GPU here .*: run "npm run cuda"/);
  if (refusals.webgpu !== undefined)
    expect(refusals.webgpu).toMatch(/cannot compute by WebGPU here .*: install/);
});
