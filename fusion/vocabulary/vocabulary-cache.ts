import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { openSafetensors } from '../../model/safetensors/safetensors-file.ts';
import { type TensorToWrite, writeSafetensors } from '../../model/safetensors/write-safetensors.ts';
import type { Log } from '../../process/log/log.ts';
import type { SourceVocabulary } from './source-vocabulary.ts';

/** To be raised whenever the same tokenizers would give another map. */
const version = 1;

/** A pair of tokenizers by their fingerprints, and how one's vocabulary is mapped to the other's. */
export interface VocabularyPair {
  readonly source: Uint8Array;
  readonly target: Uint8Array;
  readonly kind: string;
}

/** FUSEMESH_CACHE, or else the user's cache directory. */
const cacheDirectory = (): string =>
  process.env['FUSEMESH_CACHE'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'fusemesh');

/**
 * The map of a pair, built once and then read from disk. Where it cannot be written, it is built every time.
 *
 * @param build takes seconds for large vocabularies
 */
export async function cachedVocabulary(
  { source, target, kind }: VocabularyPair,
  build: () => Promise<SourceVocabulary>,
  log: Log,
): Promise<SourceVocabulary> {
  const pair = createHash('sha256').update(source).update(target).digest('hex').slice(0, 32);
  const directory = join(cacheDirectory(), 'vocabulary-maps');
  const path = join(directory, `${kind}-${version}-${pair}.safetensors`);
  const known = await read(path).catch(() => undefined);
  if (known) return known;
  log.info({ kind, path }, `The vocabulary map ${path} is being built`);
  const built = await build();
  try {
    await mkdir(directory, { recursive: true });
    await write(path, built);
  } catch (error) {
    log.warn({ kind, path }, `Cannot keep the vocabulary map in ${path}: ${(error as Error).message}`);
  }
  return built;
}

async function read(path: string): Promise<SourceVocabulary> {
  const file = await openSafetensors(path);
  try {
    return {
      ids: new Int32Array((await file.read('ids')).buffer),
      exact: await file.read('exact'),
      beginsLonger: await file.read('begins_longer'),
    };
  } finally {
    await file.close();
  }
}

function write(path: string, { ids, exact, beginsLonger }: SourceVocabulary): Promise<void> {
  const shape = [ids.length];
  const column = (name: string, dtype: TensorToWrite['dtype'], values: Int32Array | Uint8Array) => ({
    name,
    dtype,
    shape,
    data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  });
  return writeSafetensors(path, [
    column('ids', 'I32', ids),
    column('exact', 'U8', exact),
    column('begins_longer', 'U8', beginsLonger),
  ]);
}
