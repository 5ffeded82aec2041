import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GeneratedPiece } from '../../../model/generation/generator.ts';
import { zooModel } from '../../../test/support/running-target.ts';
import { TargetModel } from '../target-model.ts';
import { Answers, type Call, mostWaiting } from './answers.ts';

const prompt = 'Fellow citizens of the Senate';
const greedy = { prompt, maxTokens: 6, temperature: 0, topP: 1, seed: 0, stop: [] };
const forever = new AbortController().signal;

let model: TargetModel;
let answers: Answers;
const register = new Registry();
beforeAll(async () => {
  const placement = { provider: 'cpu', device: 0 } as const;
  model = await TargetModel.load(zooModel('target'), { step: 2, threads: 1, placement, slots: 1 });
  answers = new Answers(model, { slots: 1, step: 2, register });
});
afterAll(() => model.close());

async function written(call: Call, request: object = {}): Promise<GeneratedPiece[]> {
  const pieces: GeneratedPiece[] = [];
  for await (const piece of call.write({ ...greedy, ...request }, forever)) pieces.push(piece);
  return pieces;
}

it('gives the slot to the next as soon as an answer is written, however slowly it is read', async () => {
  const [slow, quick] = [answers.call(), answers.call()];
  const unread = slow.write(greedy, forever);
  const { value: first } = await unread.next();
  const pieces = await written(quick);
  expect(pieces).toHaveLength(6);
  expect(pieces.map(({ version }) => version)).toEqual([2, 2, 2, 2, 2, 2]);
  const rest: GeneratedPiece[] = [first!];
  for await (const piece of unread) rest.push(piece);
  expect(rest).toEqual(pieces);
  slow.end();
  quick.end();
  expect(answers.inHand).toBe(0);
});

it('refuses a call that wants more answers than can wait', async () => {
  const call = answers.call(mostWaiting);
  expect(() => answers.call(2)).toThrow(/^The target service has 256 answers in hand/);
  expect(await written(call)).toHaveLength(6);
  call.end();
  answers.call(mostWaiting + 1).end();
});

it('takes token ids of words as they are, and refuses ids that the tokenizer makes nothing of', async () => {
  const [{ ids }] = await model.encoder.tokenizer.encodeRendered([prompt]);
  const call = answers.call();
  const [piece] = await written(call, { prompt: [...ids] });
  expect(piece.promptTokens).toBe(ids.length);
  const letters = await model.encoder.tokenizer.encodeRendered([...'the']);
  const apart = letters.flatMap((tokens) => [...tokens.ids]);
  await expect(written(call, { prompt: apart })).rejects.toMatchObject({ code: 'invalid_argument' });
  await expect(written(call, { prompt: [9999] })).rejects.toThrow('does not have');
  call.end();
});

it('counts how answers end', async () => {
  const call = answers.call();
  const leaving = new AbortController();
  const left = async () => {
    for await (const _ of call.write({ ...greedy, maxTokens: 200 }, leaving.signal)) leaving.abort();
  };
  await expect(left()).rejects.toMatchObject({ code: 'cancelled' });
  call.end();
  const ends = async (end: string) =>
    Number(
      new RegExp(`fusemesh_target_answers_total\\{end="${end}"\\} (\\d+)`).exec(
        await register.metrics(),
      )?.[1],
    );
  await expect.poll(() => ends('cancelled')).toBe(1);
  expect(await ends('length')).toBe(4);
  expect(await ends('failed')).toBe(0);
});
