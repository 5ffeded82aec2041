/** The trainer without training, of the benchmark `mesh`: streams to batches. */

import { loadRealTokenizer } from '../../test/support/real-tokenizer.ts';
import { answerLines, stopwatch } from './answer-lines.ts';
import { openRun } from './open-run.ts';
import type { Run, Taken, Texts } from './request.ts';
import { openSources } from './sources.ts';
import { splitOfTime, type TimeSplit } from './split-of-time.ts';

const contextLength = 512;
const batchDocuments = 8;
/** Batches that a checkpoint would cover at once. */
const coverEvery = 8;

const target = await loadRealTokenizer('llama2');
const sources = await openSources(target);

async function take(run: Run): Promise<Taken> {
  const taken = stopwatch();
  const { batches, bytes, cover, close } = await openRun(run, target, sources, {
    batchDocuments,
    contextLength,
  });
  let [tokens, done] = [0, 0];
  for await (const { count, documents } of batches) {
    tokens += count.positions;
    done += documents.length;
    if (done % (coverEvery * batchDocuments) === 0) void cover(done);
  }
  const answer = { ...taken(), tokens, bytes: bytes() };
  await close();
  return answer;
}

await answerLines<Texts | Run, Taken | TimeSplit>((request) =>
  'texts' in request ? splitOfTime(request.texts, target, sources) : take(request),
);
