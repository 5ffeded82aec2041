import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { holdDirectory } from './hold-directory.ts';
import { HolderWatch, ourName } from './lock-holder.ts';

const never = new AbortController().signal;
const ours = JSON.parse(ourName());

describe('holdDirectory', () => {
  it('lets one work after another, and takes what a process that is gone has held', async () => {
    const directory = await temporaryDirectory();
    const gone = spawnSync(process.execPath, ['--eval', '']).pid;
    for (const left of [
      { ...ours, processId: gone, started: '1' },
      { ...ours, started: undefined, processId: gone },
    ]) {
      await writeFile(join(directory, 'in-work'), JSON.stringify(left));
      const events: string[] = [];
      const work = (name: string) => async () => {
        events.push(`${name} begins`);
        expect(JSON.parse(await readFile(join(directory, 'in-work'), 'utf8'))).toEqual(ours);
        await new Promise(setImmediate);
        events.push(`${name} ends`);
      };
      await Promise.all(['a', 'b'].map((name) => holdDirectory(directory, never, work(name))));
      const [first, second] = events[0] === 'a begins' ? ['a', 'b'] : ['b', 'a'];
      expect(events).toEqual([`${first} begins`, `${first} ends`, `${second} begins`, `${second} ends`]);
      expect(existsSync(join(directory, 'in-work'))).toBe(false);
    }
  });

  it('stops waiting when it is aborted', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'in-work'), ourName());
    const signal = AbortSignal.abort();
    await expect(holdDirectory(directory, signal, async () => 1)).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(existsSync(join(directory, 'in-work'))).toBe(true);
  });
});

describe('HolderWatch', () => {
  it('knows a process whose number was given again', () => {
    expect(new HolderWatch().isGone(ourName(), 1, 0)).toBe(false);
    if (ours.started === undefined) return;
    expect(new HolderWatch().isGone(JSON.stringify({ ...ours, started: '1' }), 1, 0)).toBe(true);
  });

  it('waits for silence where it cannot ask: another machine, a name that is not written yet', () => {
    // A process of that number runs here.
    for (const name of [JSON.stringify({ ...ours, place: 'another' }), '', '{"pla']) {
      const watch = new HolderWatch();
      expect(watch.isGone(name, 1_000, 0)).toBe(false);
      expect(watch.isGone(name, 1_000, 19_000)).toBe(false);
      // It has shown itself, by a clock that is far from ours.
      expect(watch.isGone(name, 3_000, 21_000)).toBe(false);
      expect(watch.isGone(name, 3_000, 40_000)).toBe(false);
      expect(watch.isGone(name, 3_000, 41_000)).toBe(true);
    }
  });
});
