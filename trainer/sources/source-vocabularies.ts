import type { Log } from '../../mesh/log/log.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { exactVocabularyMap, identicalVocabularyMap, NOT_MAPPED } from '../align/vocabulary-map.ts';
import type { SourceVocabulary } from '../batch/assemble-batch.ts';
import type { Change } from '../change.ts';
import { WaitReport } from '../stream/wait-report.ts';
import type { Source } from './source.ts';

/** Waits until every source's tokenizer is known; the log says whose is not. Returns early when aborted. */
export async function awaitTokenizers(
  sources: readonly Source[],
  { change, signal, log }: { change: Change; signal: AbortSignal; log: Log },
): Promise<Tokenizer[] | undefined> {
  const report = new WaitReport(log);
  for (;;) {
    if (signal.aborted) return undefined;
    const known = sources.flatMap(({ tokenizer }) => (tokenizer === undefined ? [] : [tokenizer]));
    if (known.length === sources.length) {
      report.over();
      return known;
    }
    const missing = sources.filter(({ tokenizer }) => tokenizer === undefined).map(({ name }) => name);
    report.waiting(missing, 'the tokenizer');
    await change.next(report.due);
  }
}

/** How a source's tokens relate to the target's; the log says how many of them the target has. */
export function relateVocabulary(
  source: string,
  tokenizer: Tokenizer,
  target: Tokenizer,
  log: Log,
): SourceVocabulary {
  if (Buffer.compare(tokenizer.fingerprint, target.fingerprint) === 0) {
    return { map: identicalVocabularyMap(tokenizer.vocabularySize), isTargets: true };
  }
  const map = exactVocabularyMap(tokenizer, target);
  const mapped = map.reduce((count, id) => (id === NOT_MAPPED ? count : count + 1), 0);
  log.info(
    { teacher: source, mapped, vocabulary: map.length },
    `The target has ${mapped} of the ${map.length} tokens of teacher ${source}`,
  );
  return { map, isTargets: false };
}
