import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesOfCaches } from './cache-sizes.ts';
import { type GeneratedPiece, Generator } from './generator.ts';

const zoo = join(import.meta.dirname, '..', '..', 'examples', 'zoo');
const orator = join(zoo, 'orator');
const sizes = { keyValueSizes: { layers: 4, keyValueHeads: 2, headSize: 32 }, contextLength: 256 };
const greedy = { temperature: 0, topP: 1, seed: 0, stop: [], logProbabilities: 1 };

/** Of different lengths. */
const prompts = await Promise.all(
  ['speeches', 'fiction', 'manuals'].map(async (domain) => {
    const text = await readFile(join(zoo, 'held-out', `${domain}.txt`), 'utf8');
    return [3, 40, 150, 400].map((length, i) => text.slice(1000 * i, 1000 * i + length));
  }),
).then((ofDomains) => ofDomains.flat());

/** What does not depend on how the text is cut into pieces, to the last bit. */
const tokensOf = (pieces: readonly GeneratedPiece[]) =>
  pieces.map(({ token, version }) => [token.id, token.logProbability, version]);

describe('texts that are continued together', () => {
  let generator: Generator;
  beforeAll(async () => {
    generator = await Generator.load(orator, { threads: 1, slots: 6 });
  });
  afterAll(() => generator.close());

  it('get the tokens that each gets alone, to the last bit, whoever comes and goes', async () => {
    const continued = async (prompt: string, maxTokens: number) => {
      const pieces: GeneratedPiece[] = [];
      for await (const piece of generator.generate({ ...greedy, prompt, maxTokens })) pieces.push(piece);
      return tokensOf(pieces);
    };
    const alone: unknown[][] = [];
    for (const prompt of prompts) alone.push(await continued(prompt, 40));

    /** Comes when the first has so many tokens; asks for so many, and leaves after so many. */
    const arrival = fc.record({
      prompt: fc.nat(prompts.length - 1),
      after: fc.nat(20),
      maxTokens: fc.integer({ min: 1, max: 40 }),
      leaves: fc.integer({ min: 1, max: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(arrival, { minLength: 1, maxLength: 12 }), async (arrivals) => {
        const follow = async ({ prompt, maxTokens, leaves }: (typeof arrivals)[number]) => {
          const pieces: GeneratedPiece[] = [];
          const request = { ...greedy, prompt: prompts[prompt], maxTokens };
          for await (const piece of generator.generate(request)) {
            pieces.push(piece);
            if (pieces.length === leaves) break;
          }
          expect(tokensOf(pieces)).toEqual(alone[prompt].slice(0, Math.min(maxTokens, leaves)));
        };
        const others: Promise<void>[] = [];
        let tokens = 0;
        for await (const _ of generator.generate({ ...greedy, prompt: prompts[0], maxTokens: 21 })) {
          for (const one of arrivals) if (one.after === tokens) others.push(follow(one));
          tokens++;
        }
        await Promise.all(others);
      }),
      { numRuns: 15 },
    );
  });
});

describe('with one slot', () => {
  let generator: Generator;
  beforeAll(async () => {
    generator = await Generator.load(orator, { threads: 1, slots: 1 });
  });
  afterAll(() => generator.close());

  it('the first come is the first served, and who leaves makes room at once', async () => {
    const order: string[] = [];
    const left = new AbortController();
    const leftWaiting = new AbortController();
    let begin = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const follow = async (name: string, maxTokens: number, signal?: AbortSignal) => {
      for await (const { tokens } of generator.generate(
        { ...greedy, prompt: prompts[1], maxTokens },
        signal,
      )) {
        if (tokens === 1) order.push(name);
        begin();
      }
      return name;
    };
    const first = follow('first', 200, left.signal);
    await begun;
    const waiting = follow('waiting', 3, leftWaiting.signal);
    const second = follow('second', 3);
    const third = follow('third', 3);
    leftWaiting.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    expect(order).toEqual(['first']);
    left.abort();
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    expect(await Promise.all([second, third])).toEqual(['second', 'third']);
    expect(order).toEqual(['first', 'second', 'third']);
  });

  it('a reader who goes away leaves too', async () => {
    for await (const _ of generator.generate({ ...greedy, prompt: prompts[1], maxTokens: 200 })) break;
    const pieces = generator.generate({ ...greedy, prompt: prompts[1], maxTokens: 1 });
    expect((await pieces.next()).value).toMatchObject({ tokens: 1, finishReason: 'length' });
    await pieces.return(undefined);
  });

  it('nobody is heard who has left before', async () => {
    const request = { ...greedy, prompt: prompts[1], maxTokens: 5 };
    await expect(generator.generate(request, AbortSignal.abort()).next()).rejects.toMatchObject({
      code: 'cancelled',
    });
  });
});

it('lets nobody in for whose tokens there is no memory, and refuses who never has any', async () => {
  const cacheBytes = bytesOfCaches(sizes, true, [128, 128]);
  const generator = await Generator.load(orator, { threads: 1, cacheBytes });
  try {
    const request = { ...greedy, prompt: prompts[1], maxTokens: 100 };
    let inHand = 0;
    let most = 0;
    const follow = async () => {
      for await (const { tokens, finishReason } of generator.generate(request)) {
        if (tokens === 1) most = Math.max(most, ++inHand);
        if (finishReason) inHand--;
      }
    };
    await Promise.all([1, 2, 3, 4, 5].map(follow));
    expect(most).toBe(2);
  } finally {
    await generator.close();
  }
  const small = await Generator.load(orator, { threads: 1, cacheBytes: bytesOfCaches(sizes, true, [128]) });
  try {
    const request = { ...greedy, prompt: prompts[1], maxTokens: 250 };
    await expect(small.generate(request).next()).rejects.toMatchObject({
      code: 'invalid_argument',
      message:
        'Prompt and max_tokens are 256 tokens together, whose keys and values take 524288 bytes, and there are 262144: ask for fewer tokens',
    });
  } finally {
    await small.close();
  }
});
