import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSafetensors } from '../safetensors/safetensors-file.ts';
import { blockFormats, nameOfType } from './block-formats.ts';

const golden = join(import.meta.dirname, '../../test/golden-gguf/blocks.safetensors');
const bits = (values: Float32Array) => [...new Uint32Array(values.buffer)];

const quantized = [...blockFormats].filter(([, { decode }]) => decode !== undefined);

test.each(quantized.map(([type, format]) => [nameOfType(type), format] as const))(
  '%s is dequantised to the bit as by the gguf package',
  async (kind, { values: perBlock, bytes, decode }) => {
    const file = await openSafetensors(golden);
    const blocks = await file.read(`${kind}.blocks`);
    const expected = await file.readFloat32(`${kind}.values`);
    await file.close();
    expect(expected.length).toBe((blocks.length / bytes) * perBlock);

    const values = new Float32Array(expected.length);
    decode!(blocks, values);
    expect(bits(values)).toEqual(bits(expected));

    // Wherever the bytes lie.
    const moved = Uint8Array.of(99, ...blocks).subarray(1);
    decode!(moved, values.fill(7));
    expect(bits(values)).toEqual(bits(expected));
  },
);
