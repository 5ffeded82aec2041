import fc from 'fast-check';
import { expect, it } from 'vitest';
import { packRecord, unpackRecord } from './pack-record.ts';

it('gives any bytes again', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      const packed = await packRecord(bytes);
      // An empty record is told from one that there is not.
      expect(packed.length).toBeGreaterThan(0);
      expect(await unpackRecord(packed)).toEqual(bytes);
    }),
  );
});

it('makes float16 logarithms that fall row by row smaller', async () => {
  const bytes = new Uint8Array(
    Uint16Array.from({ length: 5_000 }, (_, i) => 0xc000 + ((i * 37) % 1024)).buffer,
  );
  expect((await packRecord(bytes)).length).toBeLessThan(0.8 * bytes.length);
});
