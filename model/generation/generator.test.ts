import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Generator } from './generator.ts';

const zoo = join(import.meta.dirname, '..', '..', 'examples', 'zoo');
const exports = join(import.meta.dirname, '..', '..', 'test', 'golden-onnx');

it('refuses an exported ONNX model, and says what it takes', async () => {
  const directory = join(exports, readdirSync(exports)[0]);
  await expect(Generator.load(directory, { threads: 1 })).rejects.toMatchObject({
    code: 'unimplemented',
    message: expect.stringContaining('is an exported ONNX model, which scores texts but does not generate'),
  });
});

it('generates on the GPU that is asked for, or not at all', async () => {
  const placement = { provider: 'cuda', device: 99 } as const;
  await expect(Generator.load(join(zoo, 'orator'), { threads: 1, placement })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringMatching(/^ONNX Runtime cannot compute on a GPU here/),
  });
});
