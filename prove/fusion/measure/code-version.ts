import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { repository } from '../directories.ts';

/** Packages whose versions decide the bits of a result. */
const packages = ['onnxruntime-node', 'tokenizers', '@bufbuild/protobuf'];

/**
 * SHA-256 over a module and all modules of ours that it brings in, worker threads too, and the versions of the
 * packages that compute: as long as it stays, the same input gives the same result.
 *
 * @param entry URL of the module
 */
export async function codeVersion(entry: string): Promise<string> {
  const sources = new Map<string, string>();
  const waiting = [entry];
  for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) {
    if (sources.has(url)) continue;
    const source = await readFile(fileURLToPath(url), 'utf8');
    sources.set(url, source);
    for (const [, path] of source.matchAll(/(?:from |import\(|new URL\()'(\.[^']+\.(?:ts|mjs))'/g)) {
      waiting.push(new URL(path, url).href);
    }
  }
  const hash = createHash('sha256');
  for (const url of [...sources.keys()].sort()) hash.update(sources.get(url)!);
  for (const name of packages) {
    const file = await readFile(join(repository, 'node_modules', name, 'package.json'), 'utf8');
    hash.update(`${name} ${(JSON.parse(file) as { version: string }).version}`);
  }
  return hash.digest('hex');
}
