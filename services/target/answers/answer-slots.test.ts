import { expect, it } from 'vitest';
import { AnswerSlots } from './answer-slots.ts';

const forever = new AbortController().signal;

/** Takes slots for calls in this order, gives each back at once, and says in which order they were had. */
async function order(slots: AnswerSlots, calls: readonly object[]): Promise<number[]> {
  const begun: number[] = [];
  await Promise.all(
    calls.map(async (call, i) => {
      const giveBack = await slots.take(call, forever);
      begun.push(i);
      giveBack();
    }),
  );
  return begun;
}

it('gives calls their turns, whatever one of them wants', async () => {
  const slots = new AnswerSlots(1);
  const [many, one] = [{}, {}];
  const giveBack = await slots.take({}, forever);
  const begun = order(slots, [many, many, many, one, many]);
  expect(slots.waiting).toBe(5);
  giveBack();
  expect(await begun).toEqual([0, 3, 1, 2, 4]);
  expect([slots.taken, slots.waiting]).toEqual([0, 0]);
});

it('forgets who left while waiting', async () => {
  const slots = new AnswerSlots(2);
  const held = [await slots.take({}, forever), await slots.take({}, forever)];
  const gone = new AbortController();
  const call = {};
  const waiting = [slots.take(call, gone.signal), slots.take(call, forever)];
  gone.abort();
  await expect(waiting[0]).rejects.toMatchObject({ code: 'cancelled' });
  expect(slots.waiting).toBe(1);
  held[0]();
  (await waiting[1])();
  held[1]();
  expect([slots.taken, slots.waiting]).toEqual([0, 0]);
  await expect(slots.take({}, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
});
