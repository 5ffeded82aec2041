import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** What tells one content of a file from any other. */
export interface FileDigest {
  readonly bytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

/** A file's system calls are made in pieces of this size: few for a large file, and little memory. */
const pieceBytes = 1 << 20;

/** Reads a file piece by piece, so that the thread can do its other work in between. */
export async function digestFile(path: string): Promise<FileDigest> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of createReadStream(path, { highWaterMark: pieceBytes })) {
    hash.update(piece as Buffer);
    bytes += (piece as Buffer).length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** By name, each file of a directory. */
export async function digestFiles(directory: string): Promise<Record<string, FileDigest>> {
  const digests: Record<string, FileDigest> = {};
  for (const name of (await readdir(directory)).sort()) {
    digests[name] = await digestFile(join(directory, name));
  }
  return digests;
}
