import { join } from 'node:path';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { loadRealTokenizer } from '../../test/support/real-tokenizer.ts';
import { openRunStreams } from '../../wire/nats/run-streams.ts';
import { zoo } from '../fusion/zoo-documents.ts';
import type { Figure } from '../report.ts';
import { feed } from './feed.ts';

import { type BenchServer, startTeachers, startWorker } from './processes.ts';
import type { Recorded, Run, Taken, Texts } from './request.ts';
import { teachers } from './sources.ts';
import { cutTexts } from './texts.ts';

const [rounds, documents] = [3, 320];
const contextLength = 256;
/** Distributions of each teacher that wait in the stream at most: an eager teacher is to feel it. */
const maxDistributions = 64;

/** How much longer the teachers take than the trainer. */
const cases = [
  { name: 'teachers slower', slower: 1.5 },
  { name: 'trainer slower', slower: 0.5 },
] as const;

/**
 * How long a run takes against the slower of its sides alone: the trainer on the same distributions in memory, or
 * the scoring time of the slowest teacher. Teachers sleep instead of scoring. Each side's time is the shortest of
 * some rounds, in which all take turns.
 */
export async function paceFigures({ connection, url }: BenchServer): Promise<Figure[]> {
  const target = await Tokenizer.fromFile(join(zoo, 'target', 'tokenizer.json'));
  const tokenizers = await Promise.all(teachers.map((name) => loadRealTokenizer(name)));
  const texts = await cutTexts([target, ...tokenizers], contextLength, 32);
  const trainer = await startWorker<Texts | Run | Recorded, Taken>('train-worker.ts');
  const taught = await startTeachers(texts);
  try {
    await trainer.ask({ texts });
    await trainer.ask({ recorded: documents / 4 });
    const tokensOf = await Promise.all(
      tokenizers.map(async (tokenizer) => {
        const lengths = (await tokenizer.encodeBatch(texts)).map(({ ids }) => ids.length);
        return Array.from({ length: documents }, (_, d) => lengths[d % texts.length]).reduce((a, b) => a + b);
      }),
    );
    const most = Math.max(...tokensOf);
    let alone = Number.POSITIVE_INFINITY;
    const streamed = cases.map(() => Number.POSITIVE_INFINITY);
    const scoring = cases.map(() => 0);
    for (let round = 0; round < rounds; round++) {
      alone = Math.min(alone, (await trainer.ask({ recorded: documents })).seconds);
      for (const [c, { slower }] of cases.entries()) {
        // The speeds stay as the first round has set them.
        scoring[c] ||= slower * alone;
        const run = `pace-${c}-${round}`;
        await feed(connection, { run, texts, documents }, { maxDocuments: documents, maxDistributions });
        const [{ seconds }] = await Promise.all([
          trainer.ask({ url, run, documents }),
          ...taught.map((side, i) =>
            side.ask({ url, run, documents, teacher: teachers[i], tokensPerSecond: most / scoring[c] }),
          ),
        ]);
        streamed[c] = Math.min(streamed[c], seconds);
        await openRunStreams(connection, run).remove();
      }
    }
    return cases.map(({ name }, c) => {
      const slowest = Math.max(alone, scoring[c]);
      return {
        name: `a run, ${name}`,
        value: streamed[c],
        unit: 's',
        baseline: slowest,
        ratio: streamed[c] / slowest,
      };
    });
  } finally {
    for (const side of [trainer, ...taught]) await side.close();
  }
}
