import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Copies a model into a directory, with the sign of one weight's float16 values turned: it answers otherwise. */
export async function writeOtherWeights(model: string, directory: string): Promise<void> {
  await cp(model, directory, { recursive: true });
  const path = join(directory, 'model.safetensors');
  const bytes = await readFile(path);
  const headerLength = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)) as Record<
    string,
    { readonly data_offsets: readonly [number, number] }
  >;
  const [begin, end] = header['model.norm.weight'].data_offsets;
  for (let i = 8 + headerLength + begin + 1; i < 8 + headerLength + end; i += 2) bytes[i] ^= 0x80;
  await writeFile(path, bytes);
}
