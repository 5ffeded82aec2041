import type { Tokenizer } from '../../../model/tokenizer/tokenizer.ts';
import type { Notifier } from '../../../process/lifecycle/notifier.ts';
import type { Log } from '../../../process/log/log.ts';
import type { JoinRule } from '../join/attendance.ts';
import { WaitReport } from '../read/wait-report.ts';
import type { Source } from './source.ts';

/** How those who wait for a tokenizer hear of it. */
export interface Waiting {
  readonly notifier: Notifier;
  readonly signal: AbortSignal;
}

/**
 * Waits until the tokenizers of all sources are known, or of as many as the rule asks for and its time is over;
 * the log says whose is not.
 *
 * @returns false when aborted before
 */
export async function awaitTokenizers(
  sources: readonly Source[],
  { atLeast, within }: JoinRule,
  { notifier, signal, log }: Waiting & { readonly log: Log },
): Promise<boolean> {
  const report = new WaitReport(log);
  const until = performance.now() + within;
  for (;;) {
    if (signal.aborted) return false;
    const missing = sources.filter(({ tokenizer }) => tokenizer === undefined).map(({ name }) => name);
    const left = until - performance.now();
    const enough = sources.length - missing.length >= atLeast;
    if (missing.length === 0 || (enough && left <= 0)) {
      report.over(missing);
      if (missing.length > 0) {
        log.warn({ missing }, `The training begins without ${missing.join(', ')}: not attached in time`);
      }
      return true;
    }
    report.waiting(missing, 'the tokenizer');
    await notifier.next(enough ? Math.min(report.due, left) : report.due);
  }
}

/** Waits for the tokenizer of one source; undefined when aborted before. */
export async function awaitTokenizer(
  source: Source,
  { notifier, signal }: Waiting,
): Promise<Tokenizer | undefined> {
  while (!signal.aborted && source.tokenizer === undefined) await notifier.next();
  return source.tokenizer;
}
