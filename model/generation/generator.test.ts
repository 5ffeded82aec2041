import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import { type GeneratedPiece, Generator } from './generator.ts';

const zoo = join(import.meta.dirname, '..', '..', 'examples', 'zoo');
const exports = join(import.meta.dirname, '..', '..', 'test', 'golden-onnx');
const orator = join(zoo, 'orator');

const greedy = { maxTokens: 24, temperature: 0, topP: 1, seed: 0, stop: [] };

const speech =
  'Fellow citizens, we are met here to speak of the union, of the law and of the people who made both.';

async function all(pieces: AsyncIterable<GeneratedPiece>): Promise<GeneratedPiece[]> {
  const found: GeneratedPiece[] = [];
  for await (const piece of pieces) found.push(piece);
  return found;
}

const textOf = (pieces: readonly GeneratedPiece[]) => pieces.map(({ text }) => text).join('');

it('refuses an exported ONNX model, and says what it takes', async () => {
  const directory = join(exports, readdirSync(exports)[0]);
  await expect(Generator.load(directory, { threads: 1 })).rejects.toMatchObject({
    code: 'unimplemented',
    message: expect.stringContaining('is an exported ONNX model, which scores texts but does not generate'),
  });
});

it('generates on the GPU that is asked for, or not at all', async () => {
  const placement = { provider: 'cuda', device: 99 } as const;
  await expect(Generator.load(orator, { threads: 1, placement })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringMatching(/^ONNX Runtime cannot compute on a GPU here/),
  });
});

describe('a generator', () => {
  let generator: Generator;
  beforeAll(async () => {
    generator = await Generator.load(orator, { threads: 1, version: 7 });
  });
  afterAll(() => generator.close());

  it('gives tokens with their bytes, the text that they make, and the version of the weights', async () => {
    const tokenizer = await Tokenizer.fromFile(join(orator, 'tokenizer.json'));
    const pieces = await all(generator.generate({ ...greedy, prompt: speech }));
    expect(Buffer.concat(pieces.map(({ token }) => token.bytes)).toString()).toBe(textOf(pieces));
    expect(pieces.map(({ tokens }) => tokens)).toEqual(pieces.map((_, i) => i + 1));
    const promptTokens = (await tokenizer.encode(speech)).ids.length;
    for (const piece of pieces) expect(piece).toMatchObject({ version: 7, promptTokens });
    expect(pieces.at(-1)).toMatchObject({ tokens: 24, finishReason: 'length' });
    expect(pieces[0].token).not.toHaveProperty('logProbability');
  });

  it('gives the log-probabilities of the model, whatever the temperature', async () => {
    const request = { ...greedy, prompt: speech, maxTokens: 4, logProbabilities: 3 };
    const cold = await all(generator.generate(request));
    for (const { token } of cold) {
      const { alternatives = [] } = token;
      expect(alternatives).toHaveLength(3);
      expect(alternatives[0]).toEqual({
        id: token.id,
        bytes: token.bytes,
        logProbability: token.logProbability,
      });
      const probabilities = alternatives.map(({ logProbability }) => Math.exp(logProbability));
      expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a));
      expect(probabilities.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(1);
    }
    const [hot] = await all(
      generator.generate({ ...request, temperature: 5, maxTokens: 1, logProbabilities: 20 }),
    );
    expect(hot.token.alternatives?.slice(0, 3)).toEqual(cold[0].token.alternatives);
    const [chosen] = await all(generator.generate({ ...request, maxTokens: 1, logProbabilities: 0 }));
    expect(chosen.token).toMatchObject({ logProbability: cold[0].token.logProbability, alternatives: [] });
    await expect(all(generator.generate({ ...request, logProbabilities: 21 }))).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('use 0 to 20'),
    });
  });

  it('says what has ended a text', async () => {
    const pieces = await all(generator.generate({ ...greedy, prompt: speech }));
    const text = textOf(pieces);
    const stop = text.slice(8, 12);
    const stopped = await all(generator.generate({ ...greedy, prompt: speech, stop: ['never', stop] }));
    expect(textOf(stopped)).toBe(text.slice(0, text.indexOf(stop)));
    expect(stopped.at(-1)).toMatchObject({ finishReason: 'stop', stopReason: stop });
    const endOfTurn = pieces[5].token.id;
    const ended = await all(generator.generate({ ...greedy, prompt: speech, endOfTurn }));
    expect(ended.at(-1)).toMatchObject({
      token: { id: endOfTurn },
      finishReason: 'stop',
      stopReason: endOfTurn,
    });
  });

  it('draws the same tokens from the same seed, whoever else is there', async () => {
    const request = { ...greedy, prompt: speech, temperature: 1, topP: 0.9, seed: 11 };
    const others = [1, 2, 3].map((seed) => all(generator.generate({ ...request, seed })));
    const among = await all(generator.generate(request));
    await Promise.all(others);
    expect(textOf(among)).toBe(textOf(await all(generator.generate(request))));
  });
});
