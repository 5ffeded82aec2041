import { describe, expect, it } from 'vitest';
import { Turns } from './turns.ts';

/** Work that is done when it is told, and a record of what was begun. */
function workshop() {
  const turns = new Turns();
  const begun: string[] = [];
  const finish: (() => void)[] = [];
  const give = (name: string, lane: string, signal?: AbortSignal) =>
    turns.take(
      () => {
        begun.push(name);
        return new Promise<string>((resolve) => finish.push(() => resolve(name)));
      },
      { lane, signal },
    );
  const finishNext = async () => {
    finish.shift()!();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { begun, give, finishNext };
}

describe('Turns', () => {
  it('does one piece of work at a time, and lanes take turns', async () => {
    const { begun, give, finishNext } = workshop();
    const calls = [1, 2, 3, 4].map((i) => give(`call ${i}`, 'calls'));
    const batches = [1, 2].map((i) => give(`batch ${i}`, 'run'));
    expect(begun).toEqual(['call 1']);
    for (let i = 0; i < 6; i++) await finishNext();
    expect(begun).toEqual(['call 1', 'call 2', 'batch 1', 'call 3', 'batch 2', 'call 4']);
    expect(await Promise.all([...calls, ...batches])).toHaveLength(6);
  });

  it('lets a lane that waits now and then go before one that is always full', async () => {
    const { begun, give, finishNext } = workshop();
    for (const i of [1, 2, 3, 4]) void give(`call ${i}`, 'calls');
    await finishNext();
    void give('batch', 'run');
    await finishNext();
    await finishNext();
    expect(begun.indexOf('batch')).toBeLessThanOrEqual(3);
    expect(begun).not.toContain('call 4');
  });

  it('never begins what was aborted while it waited, or before', async () => {
    const { begun, give, finishNext } = workshop();
    const abort = new AbortController();
    const first = give('first', 'a');
    const left = give('left', 'a', abort.signal);
    const after = give('after', 'a');
    abort.abort();
    await expect(left).rejects.toMatchObject({ code: 'cancelled' });
    await expect(give('late', 'a', abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
    await finishNext();
    await finishNext();
    expect(await first).toBe('first');
    expect(await after).toBe('after');
    expect(begun).toEqual(['first', 'after']);
  });

  it('goes on after work that failed', async () => {
    const turns = new Turns();
    const failed = turns.take(async () => {
      throw new Error('no');
    });
    const next = turns.take(async () => 'yes');
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('yes');
    expect(await turns.take(async () => 'again')).toBe('again');
  });
});

const forever = new AbortController().signal;

/** Begins turns of these lanes in this order, ends each at once, and says in which order they were had. */
async function order(turns: Turns, lanes: readonly string[]): Promise<number[]> {
  const begun: number[] = [];
  await Promise.all(
    lanes.map(async (lane, i) => {
      const end = await turns.begin({ lane, signal: forever });
      begun.push(i);
      end();
    }),
  );
  return begun;
}

it('gives calls their turns, whatever one of them wants', async () => {
  const turns = new Turns(1);
  const [many, one] = ['many', 'one'];
  const end = await turns.begin({ lane: 'before', signal: forever });
  const begun = order(turns, [many, many, many, one, many]);
  expect(turns.waiting).toBe(5);
  end();
  expect(await begun).toEqual([0, 3, 1, 2, 4]);
  expect([turns.taken, turns.waiting]).toEqual([0, 0]);
});

it('forgets who left while waiting', async () => {
  const turns = new Turns(2);
  const held = [
    await turns.begin({ lane: 'before', signal: forever }),
    await turns.begin({ lane: 'before', signal: forever }),
  ];
  const gone = new AbortController();
  const call = 'call';
  const waiting = [
    turns.begin({ lane: call, signal: gone.signal }),
    turns.begin({ lane: call, signal: forever }),
  ];
  gone.abort();
  await expect(waiting[0]).rejects.toMatchObject({ code: 'cancelled' });
  expect(turns.waiting).toBe(1);
  held[0]();
  (await waiting[1])();
  held[1]();
  expect([turns.taken, turns.waiting]).toEqual([0, 0]);
  await expect(turns.begin({ lane: call, signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'cancelled',
  });
});
