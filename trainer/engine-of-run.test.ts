import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runConfigSchema } from '../process/config/schema.ts';
import { memoryLine, planMemory } from './engine-of-run.ts';

const model = join(import.meta.dirname, '..', 'examples', 'zoo', 'target');
const run = (trainer: object, lora?: object) =>
  runConfigSchema.parse({
    run: 'demo',
    contextLength: 256,
    corpus: [{ domain: 'a', path: 'a.txt' }],
    teachers: [{ name: 'orator', address: 'a:1' }],
    target: { model, lora },
    trainer: { output: 'out', ...trainer },
  });
const plenty = { host: 1e12, device: 1e12 };
const plan = async (trainer: object, lora?: object) => (await planMemory(run(trainer, lora), plenty)).host;
const planOnGpu = (trainer: object) => planMemory(run({ execution: 'cuda', ...trainer }), plenty);

it('counts 16 bytes a parameter, and less of all that makes a training smaller', async () => {
  const whole = await plan({});
  // 1.1 million parameters.
  expect(whole.state / 1.11e6).toBeCloseTo(16, 0);
  expect(whole.total).toBe(whole.state + whole.activations + whole.temporaries + whole.program);
  expect((await plan({ tokensAtOnce: 512 })).activations).toBeLessThan(0.6 * whole.activations);
  expect((await plan({ recompute: true })).activations).toBeLessThan(0.5 * whole.activations);
  expect((await plan({}, { rank: 4 })).state).toBeLessThan(0.5 * whole.state);
});

it('refuses what cannot fit, with numbers and a way out', async () => {
  const estimate = await planMemory(run({}), plenty);
  await expect(planMemory(run({}), { host: 1e8, device: undefined })).rejects.toMatchObject({
    code: 'resource_exhausted',
    message: expect.stringContaining(
      `${memoryLine(estimate)}; 0.100 GB are free: lower trainer.tokensAtOnce`,
    ),
  });
});

it('says what stands on the GPU and what beside it', async () => {
  const { host, device } = await planOnGpu({});
  expect(device!.state / 1.11e6).toBeCloseTo(16, 0);
  expect(host.activations).toBe(0);
  const offloaded = await planOnGpu({ offload: 'host' });
  expect(offloaded.host.state / 1.11e6).toBeCloseTo(16, 0);
  expect(offloaded.device!.state).toBeLessThan(device!.state);
  const rounded = await planOnGpu({ offload: 'host', precision: 'bfloat16' });
  expect(rounded.device!.state).toBeLessThan(offloaded.device!.state);
  expect(rounded.host.state / offloaded.host.state).toBeCloseTo(18 / 16, 1);
  const narrow = await planOnGpu({ activations: 'bfloat16' });
  expect(narrow.device!.activations).toBeLessThan(0.7 * device!.activations);
  expect(memoryLine({ host, device })).toMatch(
    /^The training takes about 0\.\d+ GB on the GPU: .* of this machine's memory$/,
  );
  await expect(planMemory(run({ execution: 'cuda' }), { host: 1e12, device: 1e8 })).rejects.toMatchObject({
    code: 'resource_exhausted',
    message: expect.stringContaining(
      '0.100 GB are free on the GPU (trainer.offload: host keeps the state off it)',
    ),
  });
});
