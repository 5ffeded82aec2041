import { cp, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../test/support/temporary-directory.ts';
import { modelFingerprint } from './model-fingerprint.ts';

const zoo = fileURLToPath(new URL('../examples/zoo/', import.meta.url));
const golden = fileURLToPath(new URL('../test/golden-onnx/', import.meta.url));
const hex = async (path: string) => Buffer.from(await modelFingerprint(path)).toString('hex');

it('is the same for a copy, and another when weights or config.json changed', async () => {
  const copy = await temporaryDirectory();
  await cp(join(zoo, 'orator'), copy, { recursive: true });
  const before = await hex(join(zoo, 'orator'));
  expect(before).toMatch(/^[0-9a-f]{64}$/);
  expect(await hex(copy)).toBe(before);
  expect(await hex(join(zoo, 'novelist'))).not.toBe(before);

  const weights = join(copy, 'model.safetensors');
  const file = await open(weights, 'r+');
  await file.write(Buffer.from([1, 2, 3, 4]), 0, 4, (await stat(weights)).size - 4);
  await file.close();
  expect(await hex(copy)).not.toBe(before);
});

it('knows exported models with all their files, by directory or by file', async () => {
  const alone = await hex(join(golden, 'gpt_neox-int32-alone'));
  expect(await hex(join(golden, 'gpt_neox-int32-alone', 'model.onnx'))).toBe(alone);
  const external = await hex(join(golden, 'gpt2-half-external'));
  expect(external).not.toBe(alone);

  const copy = await temporaryDirectory();
  await cp(join(golden, 'gpt2-half-external'), copy, { recursive: true });
  const data = await open(join(copy, 'onnx', 'model.onnx_data'), 'r+');
  await data.write(Buffer.from([1, 2, 3, 4]), 0, 4, 0);
  await data.close();
  expect(await hex(copy)).not.toBe(external);
});
