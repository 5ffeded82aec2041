import type { Log } from '../../mesh/log/log.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
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
