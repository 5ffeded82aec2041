import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { BackgroundCheckpoints } from './background-checkpoints.ts';
import { initialState } from './training-state.ts';

const at = (step: number) => ({ ...initialState('demo', 'ab'), step });

/** What they do, in order; `save` takes some time, and fails at step 9. */
function watched(resumed?: number) {
  const events: string[] = [];
  let waited = 0;
  const takeWaited = () => {
    const seconds = waited;
    waited = 0;
    return seconds;
  };
  const resumedFrom = resumed === undefined ? undefined : { directory: 'resumed', state: at(resumed) };
  const checkpoints = new BackgroundCheckpoints(resumedFrom, {
    snapshot: async () => {
      events.push('snapshot');
      return { step: 0, tensors: [] };
    },
    save: async ({ step }) => {
      await sleep(200);
      if (step === 9) throw new Error('the disk is full');
      events.push(`saved ${step}`);
      return `step ${step}`;
    },
    onFailure: () => events.push('failed'),
    onWaited: (seconds) => {
      waited += seconds;
    },
  });
  return { checkpoints, events, takeWaited };
}

it('has each written once, the next after the one before, and counts how long that was waited for', async () => {
  const { checkpoints, events, takeWaited } = watched();
  expect(await checkpoints.newest()).toBeUndefined();
  await checkpoints.begin(at(1));
  await checkpoints.begin(at(1));
  expect(events).toEqual(['snapshot']);
  expect(takeWaited()).toBeLessThan(0.1);
  await checkpoints.begin(at(2));
  expect(events).toEqual(['snapshot', 'saved 1', 'snapshot']);
  expect(await checkpoints.finish(at(2))).toEqual({ directory: 'step 2', state: at(2) });
  expect(takeWaited()).toBeGreaterThan(0.3);
  expect((await checkpoints.newest())?.directory).toBe('step 2');
});

it('lets the training wait where a snapshot is the memory that is trained on', async () => {
  const events: string[] = [];
  const values = () => new Float32Array(new SharedArrayBuffer(8) as ArrayBufferLike as ArrayBuffer);
  const tensor = { name: 'a', shape: [2], weights: values(), firstMoment: values(), secondMoment: values() };
  const checkpoints = new BackgroundCheckpoints(undefined, {
    snapshot: async () => ({ step: 1, tensors: [tensor] }),
    save: async () => {
      await sleep(100);
      events.push('saved');
      return 'step 1';
    },
    onFailure: () => {},
    onWaited: () => {},
  });
  await checkpoints.begin(at(1));
  expect(events).toEqual(['saved']);
});

it('takes what was resumed from for written', async () => {
  const { checkpoints, events } = watched(3);
  expect((await checkpoints.finish(at(3))).directory).toBe('resumed');
  expect(events).toEqual([]);
});

it('fails with what the write failed with, at every later turn', async () => {
  const { checkpoints, events } = watched();
  await checkpoints.begin(at(9));
  checkpoints.throwFailure();
  await checkpoints.settled();
  expect(() => checkpoints.throwFailure()).toThrow('the disk is full');
  await expect(checkpoints.begin(at(10))).rejects.toThrow('the disk is full');
  await expect(checkpoints.finish(at(9))).rejects.toThrow('the disk is full');
  expect(events).toEqual(['snapshot', 'failed']);
});
