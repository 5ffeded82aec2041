import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { modelFingerprint } from '../../../model/model-fingerprint.ts';
import { keptDirectory } from '../directories.ts';
import { codeVersion } from './code-version.ts';
import type { Documents } from './documents.ts';
import { type NamedModel, recordedTopK, recordSource } from './record-source.ts';
import { sideBySide } from './side-by-side.ts';

/**
 * Lets sources score all documents, as teachers do, unless that has been done before.
 *
 * @param sources one that is named twice is recorded once
 * @returns directories of the recordings, by the directory of the model
 */
export async function recordSources(
  sources: readonly NamedModel[],
  documents: Documents,
  { atOnce, signal }: { readonly atOnce: number; readonly signal: AbortSignal },
): Promise<Map<string, string>> {
  const code = await codeVersion(import.meta.resolve('./score-texts.ts'));
  const directories = new Map<string, string>();
  const once = [...new Map(sources.map((source) => [source.model, source])).values()];
  await sideBySide(once, atOnce, async (source) => {
    const key = createHash('sha256')
      .update(JSON.stringify([source.name, documents.sha256, recordedTopK, code]))
      .update(await modelFingerprint(source.model))
      .digest('hex')
      .slice(0, 32);
    const directory = join(keptDirectory, 'recordings', `${source.name}-${key}`);
    directories.set(source.model, directory);
    const began = performance.now();
    const say = (progress: string) => console.error(`${source.name}: ${progress}`);
    const scored = await recordSource(source, documents, { directory, say, signal });
    if (scored === 0) return;
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`${source.name} has scored ${scored} documents in ${seconds} s`);
  });
  return directories;
}
