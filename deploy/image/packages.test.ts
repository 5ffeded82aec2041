import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { copyPackages } from './packages.ts';

const libraries = {
  x64: [
    'onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1',
    'tokenizers/tokenizers.linux-x64-gnu.node',
  ],
  arm64: [
    'onnxruntime-node/bin/napi-v6/linux/arm64/libonnxruntime.so.1',
    'tokenizers/tokenizers.linux-arm64-gnu.node',
  ],
  others: [
    'onnxruntime-node/bin/napi-v6/darwin/arm64/libonnxruntime.1.dylib',
    'onnxruntime-node/bin/napi-v6/win32/x64/onnxruntime.dll',
    'tokenizers/tokenizers.linux-arm64-musl.node',
    'tokenizers/tokenizers.linux-x64-musl.node',
    'tokenizers/tokenizers.linux-arm-gnueabihf.node',
    'tokenizers/tokenizers.darwin-arm64.node',
    'tokenizers/tokenizers.win32-x64-msvc.node',
  ],
};
const needed = [
  'onnxruntime-node/dist/index.js',
  'onnxruntime-node/package.json',
  'tokenizers/index.js',
  '@grpc/grpc-js/build/index.js',
  'nats/LICENSE.md',
];
const needless = [
  'esbuild/lib/main.js',
  '@esbuild/linux-x64/bin/esbuild',
  '@types/node/index.d.ts',
  'nats/README.md',
  'nats/lib/mod.d.ts',
  'nats/lib/mod.js.map',
  'nats/src/mod.ts',
];

it.each(['x64', 'arm64'] as const)('keeps the libraries of %s, and nothing for development', async (arch) => {
  const [from, to] = [await temporaryDirectory(), await temporaryDirectory()];
  for (const path of [...Object.values(libraries).flat(), ...needed, ...needless]) {
    await mkdir(join(from, path, '..'), { recursive: true });
    await writeFile(join(from, path), '');
  }
  await copyPackages(from, to, { platform: 'linux', arch });
  const kept = (await readdir(to, { recursive: true, withFileTypes: true }))
    .filter((file) => file.isFile())
    .map(({ parentPath, name }) => relative(to, join(parentPath, name)));
  expect(kept.sort()).toEqual([...libraries[arch], ...needed].sort());
});
