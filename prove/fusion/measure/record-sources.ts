import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { modelFingerprint } from '../../../model/model-fingerprint.ts';
import { Scorer } from '../../../model/scoring/scorer.ts';
import { keptDirectory } from '../directories.ts';
import { codeVersion } from './code-version.ts';
import type { Documents } from './documents.ts';
import { recordInPieces } from './record-in-pieces.ts';
import { scoreTexts } from './score-texts.ts';
import { sideBySide } from './side-by-side.ts';

/** Candidates a token that are recorded; experiments take that many or fewer. */
const recordedTopK = 50;

/** A source by its name in the run, with its Hugging Face directory. */
export interface NamedModel {
  readonly name: string;
  readonly model: string;
}

/**
 * Lets sources score all documents, as teachers do, unless that has been done before.
 *
 * @param sources one that is named twice is recorded once
 * @returns paths of the recordings, by the directory of the model
 */
export async function recordSources(
  sources: readonly NamedModel[],
  { texts, sha256 }: Documents,
  { atOnce, signal }: { readonly atOnce: number; readonly signal: AbortSignal },
): Promise<Map<string, string>> {
  const code = await codeVersion(import.meta.resolve('./score-texts.ts'));
  const paths = new Map<string, string>();
  const once = [...new Map(sources.map((source) => [source.model, source])).values()];
  await sideBySide(once, atOnce, async (source) => {
    const key = createHash('sha256')
      .update(JSON.stringify([source.name, sha256, recordedTopK, code]))
      .update(await modelFingerprint(source.model))
      .digest('hex')
      .slice(0, 32);
    const path = join(keptDirectory, 'recordings', `${source.name}-${key}.bin`);
    paths.set(source.model, path);
    const known = await access(path).then(
      () => true,
      () => false,
    );
    if (known) return;
    const began = performance.now();
    const scorer = await Scorer.load(source.model, { topK: recordedTopK, threads: 1 });
    try {
      const score = (piece: readonly string[]) =>
        scoreTexts(scorer, source.name, piece, recordedTopK, signal);
      await recordInPieces(path, texts, score, (progress) => console.error(`${source.name}: ${progress}`));
    } finally {
      await scorer.close();
    }
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`${source.name} has scored ${texts.length} documents in ${seconds} s`);
  });
  return paths;
}
