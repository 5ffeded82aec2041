import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { writePieces } from './pieces.ts';

const run = promisify(execFile);

it('cuts a stream into pieces that make it again', async () => {
  const directory = await temporaryDirectory();
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
  const chunks = [bytes.subarray(0, 10), bytes.subarray(10, 700), bytes.subarray(700)];
  const pieces = await writePieces(Readable.from(chunks), directory, 'x', 300);
  expect(pieces.map(({ name }) => name)).toEqual(['x.000', 'x.001', 'x.002', 'x.003']);
  const read = await Promise.all(pieces.map(({ name }) => readFile(join(directory, name))));
  expect(read.map(({ length }) => length)).toEqual([300, 300, 300, 100]);
  expect(new Uint8Array(Buffer.concat(read))).toEqual(bytes);
});

it('makes no empty piece at the end', async () => {
  const directory = await temporaryDirectory();
  const chunks = [new Uint8Array(300), new Uint8Array(0)];
  expect(await writePieces(Readable.from(chunks), directory, 'x', 300)).toHaveLength(1);
});

const text = 'what is carried\n'.repeat(50);

/** A pack of one file, as write-pack.ts makes it, and the script beside it. */
async function packOfOneFile(): Promise<string> {
  const pack = await temporaryDirectory();
  const from = await temporaryDirectory();
  await mkdir(join(from, 'folder'));
  await writeFile(join(from, 'folder', 'file'), text);
  const { stdout } = await run('tar', ['-cf', '-', '-C', from, 'folder'], { encoding: 'buffer' });
  const archive = Readable.from([stdout]).pipe(createGzip());
  const pieces = await writePieces(archive, pack, 'project.tar.gz', 50);
  expect(pieces.length).toBeGreaterThan(1);
  const sums = pieces.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('');
  await writeFile(join(pack, 'SHA256SUMS'), sums);
  await writeFile(join(pack, 'ARCHIVES'), 'project into\n');
  await copyFile(join(import.meta.dirname, 'unpack.sh'), join(pack, 'unpack.sh'));
  return pack;
}

it('is put together by the script', async () => {
  const pack = await packOfOneFile();
  const target = join(await temporaryDirectory(), 'new');
  const { stdout } = await run('sh', [join(pack, 'unpack.sh'), target]);
  expect(stdout).toContain(`Run: ${target}/prove-gpu.sh`);
  expect(await readFile(join(target, 'into', 'folder', 'file'), 'utf8')).toBe(text);
});

it('is refused where a piece is damaged', async () => {
  const pack = await packOfOneFile();
  const piece = join(pack, 'project.tar.gz.001');
  const bytes = await readFile(piece);
  bytes[5] ^= 1;
  await writeFile(piece, bytes);
  const target = join(await temporaryDirectory(), 'new');
  await expect(run('sh', [join(pack, 'unpack.sh'), target])).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringContaining('project.tar.gz.001: FAILED'),
    stderr: expect.stringContaining('copy them again'),
  });
  expect(await readdir(target)).toEqual([]);
});
