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
