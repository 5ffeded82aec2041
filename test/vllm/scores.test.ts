import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScoredText } from '../../model/scoring/scored-text.ts';
import { Scorer } from '../../model/scoring/scorer.ts';
import { isRefused } from '../../services/teacher/teacher-model.ts';
import { connectServed } from '../served/connect-served.ts';
import { VllmServer } from './vllm-server.ts';

const model = fileURLToPath(new URL('../../models/smollm2-135m-instruct', import.meta.url));
const topK = 50;
const maxModelLen = 512;
const texts = [
  'The quick brown fox jumps over the lazy dog. It was the best of times, it was the worst of times.',
  'Emoji 🙂👩‍👩‍👧‍👦🇨🇭 and combining e\u0301\u0323, tabs\t\tand\r\nlines.',
  '今天天气很好，我们去公园吧。日本語と한국어도 있습니다.',
  'Specials as text: <|endoftext|> <|im_start|>user\nHi<|im_end|> <s> [INST]',
  'x',
  'def f(a):\n    return {"logprob": -1.5, "rank": 1, "a\\"b": [a, None]}\n',
  '   leading and trailing   ',
  // Exactly the longest: a token a word.
  ' the'.repeat(maxModelLen - 1),
];
let scorer: Scorer;
let own: readonly ScoredText[];

beforeAll(async () => {
  scorer = await Scorer.load(model, { topK, threads: 2 });
  const scored: ScoredText[] = [];
  for (const text of texts) scored.push((await scorer.score([text]))[0]);
  own = scored;
}, 300_000);
afterAll(() => scorer?.close());

async function servedScores(url: string): Promise<ScoredText[]> {
  const limits = { connect: 10_000, answer: 300_000, body: 60_000 };
  const served = await connectServed('vllm', url, {
    tokenizer: model,
    topK,
    contextLength: maxModelLen - 1,
    limits,
  });
  const outcomes = await served.score(texts, topK, {});
  return outcomes.map((outcome) => {
    if (isRefused(outcome)) throw new Error(outcome.refusal);
    return outcome;
  });
}

/** How far rows of one text are apart. */
function compare(ours: ScoredText, theirs: ScoredText) {
  const largest: number[] = [];
  let sameFirst = 0;
  let divergence = 0;
  const n = ours.tokenIds.length;
  for (let row = 0; row < n; row++) {
    const values = new Map<number, number>();
    for (let j = row * topK; j < (row + 1) * topK; j++) {
      values.set(theirs.candidateIds[j], theirs.logProbabilities[j]);
    }
    let worst = 0;
    for (let j = row * topK; j < (row + 1) * topK; j++) {
      const value = ours.logProbabilities[j];
      const other = values.get(ours.candidateIds[j]);
      // The last candidates may change places with those behind them.
      if (other === undefined) continue;
      worst = Math.max(worst, Math.abs(value - other));
      divergence += Math.exp(value) * (value - other);
    }
    largest.push(worst);
    if (ours.candidateIds[row * topK] === theirs.candidateIds[row * topK]) sameFirst++;
  }
  return { largest, sameFirst, divergence, n };
}

describe('a vLLM that serves SmolLM2', () => {
  it('in float32 gives our own scores', { timeout: 600_000 }, async () => {
    const server = await VllmServer.start({ model, dtype: 'float32', maxModelLen });
    try {
      const served = await servedScores(server.url);
      for (const [i, ours] of own.entries()) {
        const theirs = served[i];
        expect(theirs.tokenIds).toEqual(ours.tokenIds);
        expect(Math.max(...compare(ours, theirs).largest), texts[i]).toBeLessThan(2e-4);
        const tokens = ours.tokenLogProbabilities.map((value, t) =>
          Math.abs(value - theirs.tokenLogProbabilities[t]),
        );
        expect(Math.max(...tokens), texts[i]).toBeLessThan(2e-4);
      }
      expect(served.at(-1)?.tokenIds.length).toBe(maxModelLen - 1);
    } finally {
      await server.kill();
    }
  });

  it('in bfloat16 is near to them', { timeout: 600_000 }, async () => {
    const server = await VllmServer.start({ model, dtype: 'bfloat16', maxModelLen });
    try {
      const served = await servedScores(server.url);
      // Real text: a repeated word has rows that are all but equal.
      const compared = own.slice(0, -1).map((ours, i) => compare(ours, served[i]));
      const rows = compared.flatMap(({ largest }) => largest);
      const sum = (of: (one: ReturnType<typeof compare>) => number) =>
        compared.reduce((total, one) => total + of(one), 0);
      // Measured here: 0.22 nats, 97.3 %, 1.1e-3 nats; on plain text 0.15 nats, 97.2 %, 4.5e-4 nats.
      expect(rows.reduce((a, b) => a + b, 0) / rows.length).toBeLessThan(0.3);
      expect(sum(({ sameFirst }) => sameFirst) / rows.length).toBeGreaterThan(0.93);
      expect(Math.abs(sum(({ divergence }) => divergence) / rows.length)).toBeLessThan(2e-3);
    } finally {
      await server.kill();
    }
  });
});
