/** Our side of the benchmark `serve`: JSON lines as bench/rivals/transformers_generate.py describes them. */
import { Generator } from '../../model/generation/generator.ts';
import { answerLines, stopwatch } from '../mesh/answer-lines.ts';
import type { Continued, Request } from './request.ts';

const [directory, threads] = process.argv.slice(2);
const generator = await Generator.load(directory, { threads: Number(threads) });

async function continued(prompt: string, maxTokens: number): Promise<number[]> {
  const ids: number[] = [];
  const request = { prompt, maxTokens, temperature: 0, topP: 1, seed: 0, stop: [] };
  for await (const { token } of generator.generate(request)) ids.push(token.id);
  return ids;
}

await answerLines<Request, Continued>(async ({ prompts, maxTokens }) => {
  const elapsed = stopwatch();
  const tokenIds = await Promise.all(prompts.map((prompt) => continued(prompt, maxTokens)));
  return { seconds: elapsed().seconds, peakBytes: process.resourceUsage().maxRSS * 1024, tokenIds };
});
await generator.close();
