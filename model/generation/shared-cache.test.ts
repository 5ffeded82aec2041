import fc from 'fast-check';
import { expect, it } from 'vitest';
import { arrayIn, type Tensor } from '../runtime/tensor.ts';
import { bytesOfCaches } from './cache-sizes.ts';
import { pastName } from './generation-graph.ts';
import type { Sequence } from './sequence.ts';
import { SequenceRows } from './sequence-rows.ts';
import { SharedCache } from './shared-cache.ts';

const sizes = { keyValueSizes: { layers: 2, keyValueHeads: 2, headSize: 8 }, contextLength: 300 };
const names = { keys: ['keys.0', 'keys.1'], values: ['values.0', 'values.1'] };
const limit = bytesOfCaches(sizes, true, Array(8).fill(300));

/** What stands for a token of a sequence in the cache. */
const mark = (id: number, token: number) => 1000 * id + token + 1;

/** Writes marks behind what a run finds there, which must be those of the tokens before. */
async function read(cache: SharedCache, sequences: readonly Sequence[], first: number, tokens: number) {
  const { layers, keyValueHeads, headSize } = sizes.keyValueSizes;
  await cache.extend(sequences, first, tokens, async (feeds, into) => {
    const outputs: (readonly [Tensor, Tensor])[] = Array.from({ length: layers }, (_, layer) => [
      [feeds[pastName.keys(layer)], into[names.keys[layer]]] as const,
      [feeds[pastName.values(layer)], into[names.values[layer]]] as const,
    ]).flat();
    for (const [past, present] of outputs) {
      expect(arrayIn(present).buffer).toBe(arrayIn(past).buffer);
      expect(arrayIn(present).byteOffset).toBe(arrayIn(past).byteOffset);
      const [rows, , capacity] = past.shape;
      expect(rows).toBe(sequences.length);
      const values = arrayIn(past);
      for (const [row, { id, length }] of sequences.entries()) {
        for (let head = 0; head < keyValueHeads; head++) {
          for (let token = 0; token < length + tokens; token++) {
            const place = ((row * keyValueHeads + head) * capacity + token) * headSize;
            if (token < length) expect(values[place + headSize - 1]).toBe(mark(id, token));
            else values.fill(mark(id, token), place, place + headSize);
          }
        }
      }
    }
  });
}

it('keeps what each sequence has, whoever comes, goes and grows, within its bytes', async () => {
  const come = fc.record({
    most: fc.integer({ min: 2, max: 300 }),
    prompt: fc.integer({ min: 1, max: 150 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(come, fc.nat()), { maxLength: 40 }), async (events) => {
      const cache = new SharedCache(names, sizes);
      const rows = new SequenceRows();
      let ids = 0;
      for (const event of events) {
        if (typeof event !== 'number') {
          if (rows.all.length === 8) continue;
          const prompt = new Int32Array(Math.min(event.prompt, event.most - 1));
          const { most } = event;
          const id = ids++;
          rows.add({ id, prompt, logProbabilities: undefined, most, choose: () => 0, length: 0, next: 0 });
          cache.fit(rows.all, limit);
        } else if (rows.all.length > 0) {
          rows.remove(rows.all[event % rows.all.length], (...move) => cache.move(...move));
          if (rows.all.length === 0) cache.fit([], 0);
        }
        expect(cache.bytes).toBeLessThanOrEqual(limit);
        const { ready, reading } = rows;
        if (ready.length > 0 && ready.every(({ length, most }) => length < most))
          await read(cache, ready, 0, 1);
        if (!reading) continue;
        await read(cache, [reading], ready.length, Math.min(70, reading.prompt.length - reading.length));
        if (reading.length === reading.prompt.length) rows.advance();
      }
    }),
  );
});

it('takes no memory when nobody is there', () => {
  const cache = new SharedCache(names, sizes);
  const sequence = {
    id: 0,
    prompt: new Int32Array(1),
    logProbabilities: undefined,
    most: 9,
    choose: () => 0,
  };
  cache.fit([{ ...sequence, length: 0, next: 0 }], limit);
  expect(cache.bytes).toBe(64 * 2 * 4 * 2 * 2 * 8);
  cache.fit([], limit);
  expect(cache.bytes).toBe(0);
});
