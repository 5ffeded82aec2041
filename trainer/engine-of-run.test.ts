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
const plan = (trainer: object, lora?: object) => planMemory(run(trainer, lora), 1e12);

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
  const estimate = await plan({});
  await expect(planMemory(run({}), 1e8)).rejects.toMatchObject({
    code: 'resource_exhausted',
    message: expect.stringContaining(
      `${memoryLine(estimate)}; 0.100 GB are free: lower trainer.tokensAtOnce`,
    ),
  });
});
