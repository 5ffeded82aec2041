import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readCudaBuild } from '../../model/runtime/cuda-build.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { missingFor, putDown, record } from './put-down.ts';

it('puts a build in the place of an earlier one, for everybody to read', async () => {
  const parent = await temporaryDirectory();
  const folder = join(parent, 'cuda');
  expect(readCudaBuild(folder)).toBeUndefined();
  const build = { version: '1.30.0', cuda: 12, preload: ['/opt/libcudart.so.12'] } as const;
  await putDown(folder, new Map([['old.so', Uint8Array.of(1)]]), { ...build, cuda: 13 });
  await putDown(folder, new Map([['libonnxruntime.so.1', Uint8Array.of(2)]]), build);
  expect(readCudaBuild(folder)).toEqual({ ...build, file: join(folder, 'libonnxruntime.so.1') });
  expect((await readdir(folder)).sort()).toEqual(['build.json', 'libonnxruntime.so.1']);
  expect(await readdir(parent)).toEqual(['cuda']);
  expect((await stat(folder)).mode & 0o055).toBe(0o055);

  await record(folder, { ...build, preload: [] });
  expect(readCudaBuild(folder)).toMatchObject({ ...build, preload: [] });

  await writeFile(join(folder, 'build.json'), '{');
  expect(() => readCudaBuild(folder)).toThrow('run `npm run cuda` again');
});

it('names the folder that it cannot write', async () => {
  const parent = await temporaryDirectory();
  await writeFile(join(parent, 'file'), '');
  const build = { version: '1.30.0', cuda: 13, preload: [] } as const;
  await expect(putDown(join(parent, 'file', 'cuda'), new Map(), build)).rejects.toThrow(
    /^Cannot write .*file\/cuda: /,
  );
});

it('knows of nothing that is missing where there is no provider', async () => {
  expect(await missingFor(await temporaryDirectory(), [])).toEqual([]);
});
