import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeOtherWeights } from '../../test/support/other-weights.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { type GeneratedPiece, Generator } from './generator.ts';

const zoo = join(import.meta.dirname, '..', '..', 'examples', 'zoo');
const orator = join(zoo, 'orator');
const greedy = { temperature: 0, topP: 1, seed: 0, stop: [] };
const prompts = ['Fellow citizens', 'We the people of', 'When in the course of human events, it', 'Law is'];
describe('weights are exchanged', () => {
  /** `prove -- swaps` has 200, of the whole service. */
  const swaps = 60;
  /** Before the memory is looked at first, so many: what grows with the first of them stays. */
  const warmUp = 20;
  /** A version's weights and session take 7 MB: if every second stayed, it would be more. */
  const mostGrowth = 100 * 2 ** 20;

  it(`${swaps} times under load: nothing fails, nothing is of two versions, nothing stays`, {
    timeout: 600_000,
  }, async () => {
    const other = await temporaryDirectory();
    await writeOtherWeights(orator, other);
    const generator = await Generator.load(orator, { threads: 1, version: 0, slots: 4 });
    try {
      const answer = async (prompt: number) => {
        const pieces: GeneratedPiece[] = [];
        const request = { ...greedy, prompt: prompts[prompt], maxTokens: 12 };
        for await (const piece of generator.generate(request)) pieces.push(piece);
        return pieces;
      };
      const idsOf = (pieces: readonly GeneratedPiece[]) => pieces.map(({ token }) => token.id);
      const right: number[][][] = [[], []];
      for (const prompt of prompts.keys()) right[0].push(idsOf(await answer(prompt)));
      await generator.replace(other, 1);
      for (const prompt of prompts.keys()) right[1].push(idsOf(await answer(prompt)));
      for (const prompt of prompts.keys()) expect(right[0][prompt]).not.toEqual(right[1][prompt]);

      let goesOn = true;
      const seen = new Set<number>();
      const load = Array.from({ length: 6 }, async (_, client) => {
        for (let i = client; goesOn; i++) {
          const prompt = i % prompts.length;
          const pieces = await answer(prompt);
          const versions = new Set(pieces.map(({ version }) => version));
          expect(versions.size).toBe(1);
          const [version] = versions;
          seen.add(version);
          expect(idsOf(pieces)).toEqual(right[version % 2][prompt]);
        }
      });
      let before = 0;
      try {
        for (let version = 2; version < swaps + 2; version++) {
          if (version === warmUp) before = process.memoryUsage.rss();
          await generator.replace(version % 2 === 0 ? orator : other, version);
          expect(generator.version).toBe(version);
        }
      } finally {
        goesOn = false;
        await Promise.all(load);
      }
      expect(process.memoryUsage.rss() - before).toBeLessThan(mostGrowth);
      // Requests were in flight all the time.
      expect(seen.size).toBeGreaterThan(swaps / 4);
    } finally {
      await generator.close();
    }
  });

  it('for those of another model it is refused, and the old ones stay', async () => {
    const generator = await Generator.load(orator, { threads: 1, version: 3 });
    try {
      await expect(generator.replace(join(zoo, 'novelist'), 4)).rejects.toMatchObject({
        code: 'invalid_argument',
        message: expect.stringMatching(/has another (model|tokenizer) than/),
      });
      await expect(generator.replace('nowhere', 4)).rejects.toMatchObject({ code: 'not_found' });
      const pieces = generator.generate({ ...greedy, prompt: prompts[1], maxTokens: 1 });
      expect((await pieces.next()).value).toMatchObject({ version: 3 });
    } finally {
      await generator.close();
    }
  });
});
