import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { type EvaluationRequest, evaluateModel } from './evaluate-model.ts';

const root = join(import.meta.dirname, '..', '..');
const orator = join(root, 'examples', 'zoo', 'orator');
const exported = join(root, 'test', 'golden-onnx', 'gpt2-half-external', 'onnx', 'model.onnx');

async function evaluate(request: Partial<EvaluationRequest>, abort = new AbortController()) {
  const progress: string[] = [];
  const evaluation = await evaluateModel(
    { model: orator, texts: [], threads: 1, ...request },
    { signal: abort.signal, onProgress: (done, all) => progress.push(`${done}/${all}`) },
  );
  return { evaluation, progress };
}

async function file(name: string, content: string): Promise<string> {
  const path = join(await temporaryDirectory(), name);
  await writeFile(path, content);
  return path;
}

it('takes an exported model, and cuts texts to a shorter context', async () => {
  const texts = [await file('words.txt', 'w1 w2 w3 w4 w5 w6 w7 w8 w9')];
  const whole = await evaluate({ model: exported, texts });
  expect(whole.evaluation).toMatchObject({ model: exported, choices: null });
  expect(whole.progress).toEqual(['0/1', '1/1']);
  const cut = await evaluate({ model: exported, texts, contextLength: 3 });
  expect(cut.evaluation.contextLength).toBe(3);
  // The first token of each piece has nothing before it.
  expect(cut.evaluation.total!.tokens).toBeLessThan(whole.evaluation.total!.tokens);
});

it('counts what assistants say in conversations, and nothing else', async () => {
  const conversation = (question: string) => ({
    messages: [
      { role: 'user', content: question },
      { role: 'assistant', content: 'The state of the Union.' },
    ],
  });
  const rows = ['What?', 'What is it that we shall speak of today, fellow citizens?'].map(conversation);
  const lines = [...rows, { messages: [rows[0].messages[0]] }].map((row) => JSON.stringify(row));
  const texts = [await file('chat.jsonl', lines.join('\n'))];
  const chatTemplate = join(root, 'test/golden-eval/chat.jinja');
  const { evaluation, progress } = await evaluate({ texts, chatTemplate });
  // The token that ends the turn counts as a byte.
  expect(evaluation.total?.bytes).toBe(2 * (Buffer.byteLength('The state of the Union.') + 1));
  expect(progress).toEqual(['0/2', '2/2']);
});

it('answers questions without texts', async () => {
  const choices = await file(
    'one.jsonl',
    '{"query": "The state of", "choices": ["the Union", "xq"], "gold": 0}',
  );
  const { evaluation, progress } = await evaluate({ choices });
  expect(evaluation).toMatchObject({
    texts: [],
    total: null,
    choices: { path: choices, questions: 1, acc: 1 },
  });
  expect(progress).toEqual(['0/1', '1/1']);
});

it('says what is wrong with what it is given', async () => {
  const sea = await file('sea.txt', 'Call me Ishmael.');
  const empty = await file('empty.txt', '');
  const letters = await file('letters.jsonl', '{"text": "w1"}\n{"text": "w2"}\n');
  const bare = await file('bare.jsonl', '{"query": "", "choices": ["b", "c"], "gold": 0}\n');
  const cases: [Partial<EvaluationRequest>, string][] = [
    [{}, 'Nothing to evaluate on'],
    [{ texts: ['none.txt'] }, 'No text at none.txt'],
    [{ texts: [sea, empty] }, 'empty.txt is empty'],
    [{ model: exported, texts: [letters] }, 'letters.jsonl:1, have no token that the model predicts'],
    [{ choices: bare }, 'bare.jsonl:1 has an empty context'],
    [{ choices: empty }, 'empty.txt has no question'],
    [{ choices: 'none.jsonl' }, 'No file at none.jsonl'],
    [{ texts: [sea], contextLength: 257 }, 'takes 2 to 256 tokens: correct --context-length'],
    [{ texts: [sea], contextLength: 1 }, 'takes 2 to 256 tokens'],
    [{ texts: [sea], model: 'no-model' }, 'no-model'],
  ];
  for (const [request, message] of cases) {
    await expect(evaluate(request)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(message),
    });
  }
});

it('stops when aborted', async () => {
  const abort = new AbortController();
  abort.abort();
  const texts = [await file('sea.txt', 'Call me Ishmael.')];
  await expect(evaluate({ texts }, abort)).rejects.toMatchObject({ code: 'cancelled' });
});
