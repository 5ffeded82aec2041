import { createHash, type Hash } from 'node:crypto';
import { open, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { findModelFiles } from './model-files.ts';

/** How many pieces of a large file are read, and their length in bytes. */
const pieces = 256;
const pieceBytes = 4096;

/**
 * Tells models apart that have the same shape and tokenizer: SHA-256 over config.json and evenly spread
 * pieces of the weights. It takes milliseconds however large they are. Training changes weights everywhere,
 * so every state of a model has its own fingerprint; a few values changed by hand may go unnoticed.
 *
 * @param path as Scorer.load takes it
 */
export async function modelFingerprint(path: string): Promise<Uint8Array> {
  const { directory, exported } = await findModelFiles(path);
  const hash = createHash('sha256').update(await readFile(join(directory, 'config.json')));
  const folder = exported === undefined ? directory : dirname(exported);
  const isWeights = (name: string) =>
    exported === undefined ? name.endsWith('.safetensors') : name.startsWith(basename(exported));
  for (const name of (await readdir(folder)).filter(isWeights).sort()) {
    await addFile(hash, join(folder, name));
  }
  return hash.digest();
}

async function addFile(hash: Hash, path: string): Promise<void> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    hash.update(`${size}\n`);
    const piece = Buffer.alloc(pieceBytes);
    const count = Math.min(pieces, Math.ceil(size / pieceBytes));
    for (let i = 0; i < count; i++) {
      // The last piece ends where the file does.
      const at = count === 1 ? 0 : Math.floor((i * (size - pieceBytes)) / (count - 1));
      const { bytesRead } = await file.read(piece, 0, pieceBytes, at);
      hash.update(piece.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
