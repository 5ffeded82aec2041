import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { zipSync } from 'fflate';
import { expect, it, onTestFinished } from 'vitest';
import { onnxRuntimeVersion } from './own-script.ts';
import { downloadWheel, unpackWheel, wheelFor, wheelVersion } from './wheel.ts';

const bytes = zipSync({
  'onnxruntime/capi/libonnxruntime.so.1.30.0': Uint8Array.of(1),
  'onnxruntime/capi/libonnxruntime_providers_cuda.so': Uint8Array.of(2),
  'onnxruntime/capi/libonnxruntime_providers_shared.so': Uint8Array.of(3),
  'onnxruntime/__init__.py': Uint8Array.of(4),
});
const sha256 = createHash('sha256').update(bytes).digest('hex');
const wheel = { name: 'onnxruntime_gpu-1.30.0-some.whl', bytes: bytes.length, sha256 };
const { signal } = new AbortController();

/** @returns address of an index of packages */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`;
}

/** An index that lists one file. */
const indexOf =
  (filename: string, stated: Record<string, string>): RequestListener =>
  ({ url }, response) => {
    if (url === `/files/${filename}`) return response.end(bytes);
    if (url !== '/simple/onnxruntime-gpu/') return response.writeHead(404).end();
    const files = [
      { filename: 'another.whl', url: 'another.whl', hashes: {} },
      { filename, url: `../../files/${filename}`, hashes: stated },
    ];
    response.end(JSON.stringify({ files }));
  };

it('knows the wheel of the version of onnxruntime-node, for both processors', async () => {
  expect(wheelVersion).toBe(await onnxRuntimeVersion());
  for (const architecture of ['x64', 'arm64']) {
    expect(wheelFor(architecture)?.name).toContain(`-${wheelVersion}-`);
    expect(wheelFor(architecture)?.sha256).toMatch(/^[0-9a-f]{64}$/);
  }
  expect(wheelFor('ia32')).toBeUndefined();
});

it('downloads a wheel by the index of packages, and takes three libraries out of it', async () => {
  const index = await serve(indexOf(wheel.name, { sha256 }));
  const downloaded = await downloadWheel(wheel, index, signal);
  expect([...unpackWheel(wheel, downloaded, wheel.name)]).toEqual([
    ['libonnxruntime.so.1', Uint8Array.of(1)],
    ['libonnxruntime_providers_shared.so', Uint8Array.of(3)],
    ['libonnxruntime_providers_cuda.so', Uint8Array.of(2)],
  ]);
});

it('uses no other file than the one whose sum it knows', async () => {
  const changed = Uint8Array.from(bytes);
  changed[40] ^= 1;
  expect(() => unpackWheel(wheel, changed, 'x.whl')).toThrow(/x\.whl has SHA-256 .* is not used: get/);
  const index = await serve(indexOf(wheel.name, { sha256: '0'.repeat(64) }));
  await expect(downloadWheel(wheel, index, signal)).rejects.toThrow(/states SHA-256 0000.*not downloaded/);
});

it('says what to do where the wheel cannot be had', async () => {
  const withoutWheel = await serve(indexOf('older.whl', {}));
  const advice = 'run `npm run cuda -- --from FILE`';
  await expect(downloadWheel(wheel, withoutWheel, signal)).rejects.toThrow(`does not list ${wheel.name}`);
  const broken = await serve((_, response) => response.writeHead(503).end());
  await expect(downloadWheel(wheel, broken, signal)).rejects.toThrow(
    /\(HTTP status 503\): check the network/,
  );
  await expect(downloadWheel(wheel, 'http://127.0.0.1:9/simple', signal)).rejects.toThrow(advice);
  await expect(downloadWheel(wheel, withoutWheel, AbortSignal.abort())).rejects.toMatchObject({
    code: 'cancelled',
  });
});
