/** The trainer without training, of the benchmark `mesh`: streams to batches. */

import { loadRealTokenizer } from '../../test/support/real-tokenizer.ts';
import { connectNats } from '../../wire/nats/connection.ts';
import { openRunStreams } from '../../wire/nats/run-streams.ts';
import { answerLines, stopwatch } from './answer-lines.ts';
import type { Run, Taken, Texts } from './request.ts';
import { openSources } from './sources.ts';
import { splitOfTime, type TimeSplit } from './split-of-time.ts';
import { streamedBatches } from './streamed-batches.ts';

const contextLength = 512;
const batchDocuments = 8;
/** Batches that a checkpoint would cover at once. */
const coverEvery = 8;

const target = await loadRealTokenizer('llama2');
const sources = await openSources(target);

async function take({ url, run, documents }: Run): Promise<Taken> {
  const taken = stopwatch();
  const connection = await connectNats(url, 'trainer');
  const stopping = new AbortController();
  const sizes = { documents, batchDocuments, contextLength };
  const { batches, bytes, cover } = streamedBatches(
    openRunStreams(connection, run),
    target,
    sources,
    sizes,
    stopping.signal,
  );
  let [tokens, done] = [0, 0];
  for await (const { count, documents: those } of batches) {
    tokens += count.positions;
    done += those.length;
    if (done % (coverEvery * batchDocuments) === 0) void cover(done);
  }
  const answer = { ...taken(), tokens, bytes: bytes() };
  stopping.abort();
  await connection.close();
  return answer;
}

await answerLines<Texts | Run, Taken | TimeSplit>((request) =>
  'texts' in request ? splitOfTime(request.texts, target, sources) : take(request),
);
