/** Our side of the benchmark `score`: JSON lines as bench/rivals/transformers_score.py describes them. */
import { createInterface } from 'node:readline';
import { startWorker } from '../../model/runtime/worker.ts';
import type { ScoringMethods } from '../../model/scoring/scoring-worker.ts';
import type { Request, Scored } from './request.ts';

const [directory, threads] = process.argv.slice(2);
const file = new URL('../../model/scoring/scoring-worker.ts', import.meta.url);
const { remote, stop } = startWorker<ScoringMethods>(file);
await remote.load({ directory }, Number(threads));
console.log(JSON.stringify({ ready: true }));

for await (const line of createInterface({ input: process.stdin })) {
  const { texts, k } = JSON.parse(line) as Request;
  const ids = texts.map((text) => Int32Array.from(text));
  const began = performance.now();
  const scores = await remote.score(ids, k);
  const seconds = (performance.now() - began) / 1000;
  /** What belongs to the tokens of the texts, `width` values a token, without the padding. */
  const kept = (values: Int32Array | Float32Array, width: number, less = 0) =>
    texts.flatMap(({ length }, row) => {
      const first = row * scores.length;
      return [...values.subarray(first * width, (first + length - less) * width)];
    });
  const answer: Scored = {
    seconds,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    candidateIds: kept(scores.candidateIds, k),
    logProbabilities: kept(scores.logProbabilities, k),
    labelLogProbabilities: kept(scores.labelLogProbabilities, 1, 1),
  };
  console.log(JSON.stringify(answer));
}
await stop();
