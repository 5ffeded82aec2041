import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Scorer } from '../../model/scoring/scorer.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { largestDifference } from '../../test/support/golden.ts';
import { type ChoiceAccuracy, choiceAccuracy } from './choice-accuracy.ts';
import { continuations, scoreContinuations } from './continuations.ts';
import { readQuestions } from './questions.ts';

const root = join(import.meta.dirname, '..', '..');
const zoo = join(root, 'examples', 'zoo');
const settings = { delimiter: ' ', contextLength: 256 };
const question = (context: string, ...choices: string[]) => ({ place: 'q:1', context, choices, answer: 0 });

let orator: Tokenizer;
let novelist: Tokenizer;
beforeAll(async () => {
  orator = await Tokenizer.fromFile(join(zoo, 'orator', 'tokenizer.json'));
  novelist = await Tokenizer.fromFile(join(zoo, 'novelist', 'tokenizer.json'));
});

describe('continuations', () => {
  it('are the tokens of the whole text behind those of the context', async () => {
    for (const tokenizer of [orator, novelist]) {
      const cut = await continuations(tokenizer, question('The state of', 'the Union', 'war'), settings);
      const context = await tokenizer.encode('The state of');
      for (const [i, text] of ['The state of the Union', 'The state of war'].entries()) {
        expect(cut[i].begin).toBe(context.ids.length);
        expect(cut[i].ids).toEqual((await tokenizer.encode(text)).ids);
        expect(await tokenizer.decode(cut[i].ids.slice(cut[i].begin))).toMatch(i === 0 ? /the Union/ : /war/);
      }
    }
  });

  it('take the white space at the end of a context to the choice', async () => {
    const [spaced] = await continuations(orator, question('The state of ', 'the Union'), {
      ...settings,
      delimiter: '',
    });
    expect(spaced).toEqual((await continuations(orator, question('The state of', 'the Union'), settings))[0]);
  });

  it('that are too long lose the beginning of the context', async () => {
    const long = question('We meet today. '.repeat(20), 'The state of the Union is strong.');
    const [whole] = await continuations(orator, long, settings);
    const [cut] = await continuations(orator, long, { ...settings, contextLength: 24 });
    expect(cut.ids).toEqual(whole.ids.slice(-24));
    expect(cut.ids.slice(cut.begin)).toEqual(whole.ids.slice(whole.begin));
    const count = whole.ids.length - whole.begin;
    expect((await continuations(orator, long, { ...settings, contextLength: count + 1 }))[0].begin).toBe(1);
    await expect(continuations(orator, long, { ...settings, contextLength: count })).rejects.toThrow(
      /^q:1 has a choice 0 of \d+ tokens.*raise --context-length/,
    );
  });

  it('need a token before them: that of the tokenizer, or a context', async () => {
    const [{ begin, ids }] = await continuations(novelist, question('', 'Call me Ishmael'), settings);
    expect(begin).toBe(1);
    expect(ids[0]).toBe(1);
    await expect(continuations(orator, question('  ', 'Call me Ishmael'), settings)).rejects.toThrow(
      'q:1 has an empty context',
    );
  });

  it('need a token of their own', async () => {
    await expect(
      continuations(orator, question('The sta', 'te'), { ...settings, delimiter: '' }),
    ).rejects.toThrow('q:1 has a choice 0 that adds no token to the context');
  });
});

const golden = join(root, 'test', 'golden-eval');
type Expected = Record<string, ChoiceAccuracy & { readonly logLikelihoods: readonly (readonly number[])[] }>;
/** What test/oracle/choices.py computed by the formula of lm-evaluation-harness. */
const [expected, expectedOfChat]: Expected[] = await Promise.all(
  ['expected.json', 'expected-chat.json'].map(async (file) =>
    JSON.parse(await readFile(join(golden, file), 'utf8')),
  ),
);
const questions = await readQuestions(join(golden, 'questions.jsonl'));

describe.each(['orator', 'novelist'])('%s', (name) => {
  it.each([
    ['as they are', undefined, expected],
    ['in a chat', join(golden, 'chat.jinja'), expectedOfChat],
  ])(
    'gives the log-likelihoods and accuracies of transformers: %s',
    async (_case, chatTemplate, expected) => {
      const scorer = await Scorer.load(join(zoo, name), { topK: 1, threads: 1, chatTemplate });
      const fitting = {
        ...(chatTemplate === undefined ? settings : { template: scorer.template, delimiter: '' }),
        contextLength: scorer.card.contextLength,
      };
      const { signal } = new AbortController();
      let scored = 0;
      const onScored = (count: number) => {
        scored += count;
      };
      const encoded = await Promise.all(
        questions.map((one) => continuations(scorer.tokenizer, one, fitting)),
      );
      const found = await scoreContinuations(scorer, encoded, { signal, onScored });
      await scorer.close();

      const { logLikelihoods, ...accuracy } = expected[name];
      expect(found.map((sums) => sums.length)).toEqual(logLikelihoods.map((sums) => sums.length));
      expect(largestDifference(found.flat(), logLikelihoods.flat())).toBeLessThan(1e-3);
      const { questions: count, ...shares } = choiceAccuracy(questions, found);
      expect(count).toBe(12);
      expect(scored).toBe(12);
      for (const [key, value] of Object.entries(shares)) {
        expect(value, key).toBeCloseTo(accuracy[key as keyof typeof accuracy]!, 12);
      }
    },
  );
});
