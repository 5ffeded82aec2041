/** Our speed of scoring with a Llama as a teacher does. */
import { availableParallelism } from 'node:os';
import { work } from './job-worker.ts';
import { randomTexts } from './llamas.ts';
import { candidates, type SpeedRequest } from './requests.ts';
import { say } from './row.ts';
import { openScorer } from './scored-case.ts';
import { medianSeconds } from './turns.ts';

const threads = availableParallelism();

await work(async ({ execution, llama, seconds }: SpeedRequest) => {
  const texts = randomTexts(llama);
  const scorer = await openScorer(llama.directory, execution, threads);
  const { labelLogProbabilities } = await scorer.score(texts, candidates);
  const median = await medianSeconds(seconds, () => scorer.score(texts, candidates));
  const { documents, length } = llama;
  // The last token of a document has no label.
  const labels = labelLogProbabilities.filter((_, i) => i % length < length - 1);
  say({
    figures: {
      'tokens/s': (documents * length) / median,
      'host GiB': process.resourceUsage().maxRSS / 2 ** 20,
      'nats/token': -labels.reduce((sum, value) => sum + value, 0) / labels.length,
    },
  });
  await scorer.close();
});
