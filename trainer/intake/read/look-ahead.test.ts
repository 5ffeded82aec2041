import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Notifier } from '../../../process/lifecycle/notifier.ts';
import { LookAhead } from './look-ahead.ts';

const never = new AbortController().signal;

/** Documents 0 … n − 1 in any order, some of them twice. */
const arrivals = fc
  .integer({ min: 1, max: 20 })
  .chain((documents) => {
    const all = Array.from({ length: documents }, (_, i) => i);
    return fc.shuffledSubarray(all).chain((again) =>
      fc.shuffledSubarray([...all, ...again.map((document) => document + 100)], {
        minLength: documents + again.length,
      }),
    );
  })
  .map((order) => order.map((document) => document % 100));

describe('LookAhead', () => {
  it('gives documents in order, the first copy in the stream of each', () => {
    fc.assert(
      fc.property(arrivals, (order) => {
        const queue = new LookAhead<number>(0, 4, new Notifier());
        const taken: number[] = [];
        for (const [position, document] of order.entries()) {
          queue.offer(document, position + 1, position);
          while (queue.ready) taken.push(queue.take());
        }
        const documents = Math.max(...order) + 1;
        expect(taken).toEqual(Array.from({ length: documents }, (_, document) => order.indexOf(document)));
        expect(queue.size).toBe(0);
      }),
    );
  });

  it('reads no further when what waits takes much memory, however few they are, save for the next wanted one', async () => {
    const queue = new LookAhead<string>(0, 100, new Notifier());
    const megabytes = (count: number) => new Uint8Array(count * 1024 * 1024);
    queue.offer(1, 1, 'one', { bytes: megabytes(40) });
    // Without document 0 it would wait for ever.
    await queue.room(never);
    queue.offer(0, 2, 'zero', { bytes: megabytes(1) });
    let hasRoom = false;
    const room = queue.room(never).then(() => {
      hasRoom = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasRoom).toBe(false);
    queue.take();
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasRoom).toBe(false);
    queue.take();
    await room;
  });

  it('covers exactly the positions before the first document that is not covered', () => {
    fc.assert(
      fc.property(arrivals, fc.nat({ max: 20 }), (order, covered) => {
        const queue = new LookAhead<number>(0, 100, new Notifier());
        for (const [position, document] of order.entries()) queue.offer(document, position + 1, 0);
        const first = order.findIndex((document) => document >= covered);
        expect(queue.coveredPosition).toBe(0);
        queue.forget(covered);
        expect(queue.coveredPosition).toBe(first === -1 ? order.length : first);
      }),
    );
  });

  it('names as strays what is covered or a second copy, behind what is not, and keeps the rest', () => {
    fc.assert(
      fc.property(arrivals, fc.nat({ max: 20 }), (order, covered) => {
        const queue = new LookAhead<number>(0, 100, new Notifier());
        for (const [position, document] of order.entries()) queue.offer(document, position + 1, 0);
        queue.forget(covered);
        const first = order.findIndex((document) => document >= covered);
        const strays = order.flatMap((document, i) =>
          first !== -1 && i > first && (document < covered || order.indexOf(document) < i) ? [i + 1] : [],
        );
        // The last one stays until another stands behind it.
        expect(queue.takeStrays()).toEqual(strays.filter((position) => position < order.length));
        expect(queue.takeStrays()).toEqual([]);
        queue.offer(99, order.length + 1, 0);
        expect(queue.takeStrays()).toEqual(strays.filter((position) => position === order.length));
        queue.forget(covered);
        expect(queue.coveredPosition).toBe(first === -1 ? order.length : first);
      }),
    );
  });

  it('asks to wait when full, but reads on while the next document is missing', async () => {
    const queue = new LookAhead<string>(5, 2, new Notifier());
    queue.offer(4, 1, 'used before');
    expect(queue.size).toBe(0);
    queue.offer(7, 2, 'seven');
    queue.offer(6, 3, 'six');
    await queue.room(never);
    expect(queue.ready).toBe(false);

    queue.offer(5, 4, 'five');
    let hasRoom = false;
    const room = queue.room(never).then(() => {
      hasRoom = true;
    });
    await new Promise(setImmediate);
    expect(hasRoom).toBe(false);
    expect([queue.take(), queue.take()]).toEqual(['five', 'six']);
    await room;
    expect(queue.size).toBe(1);
  });

  it('knows what the stream has passed over, and forgets positions of a life that is over', () => {
    const queue = new LookAhead<string>(3, 8, new Notifier());
    queue.offer(3, 5, 'three', { life: 'first life' });
    expect([queue.passedOver, queue.positionOf(6)]).toEqual([false, 8]);
    queue.take();
    queue.offer(6, 8, 'six', { life: 'first life' });
    expect(queue.passedOver).toBe(true);
    queue.put(4, 'four');
    expect(queue.passedOver).toBe(false);
    queue.forget(4);
    expect([queue.coveredPosition, queue.life]).toEqual([7, 'first life']);

    queue.offer(2, 2, 'two', { life: 'second life' });
    queue.forget(4);
    expect([queue.coveredPosition, queue.life]).toEqual([2, 'second life']);
    expect([...queue.numbers].sort()).toEqual([4, 6]);
  });
});
