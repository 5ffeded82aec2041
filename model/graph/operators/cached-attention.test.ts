import fc from 'fast-check';
import { expect, it } from 'vitest';
import { largestDifference } from '../../../test/support/golden.ts';
import { createRandom } from '../../../test/support/random.ts';
import { emitModel } from '../../onnx/emit.ts';
import { openSession } from '../../runtime/session.ts';
import type { HostTensor } from '../../runtime/tensor.ts';
import { attentionInParts, cachedAttention, reshape, transpose } from '../expressions.ts';
import { createGraph } from '../operators.ts';

const [heads, keyValueHeads, headSize] = [4, 2, 8];
const [width, keyValueWidth] = [heads * headSize, keyValueHeads * headSize];
const capacity = 24;

it('attends to what is in the cache as attention without one does, and writes the new there', async () => {
  const settings = fc.record({
    lengths: fc.array(fc.integer({ min: 1, max: capacity - 1 }), { minLength: 1, maxLength: 4 }),
    window: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
    softCap: fc.option(fc.constant(0.8), { nil: undefined }),
    bias: fc.boolean(),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(settings, async ({ lengths, window, softCap, bias, seed }) => {
      const random = createRandom(seed);
      const floats = (...shape: number[]) => ({
        shape,
        data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 4 * random() - 2),
      });
      const scores = { scale: 0.6, window, softCap };
      const rows = lengths.length;
      const longest = Math.max(...lengths) + 1;
      const slopes = floats(1, heads, longest);
      const texts = lengths.map((length) => ({
        queries: floats(1, length + 1, width),
        keys: floats(1, length + 1, keyValueWidth),
        values: floats(1, length + 1, keyValueWidth),
      }));

      // The whole text of each row, without a cache.
      const right: number[] = [];
      for (const [row, { queries, keys, values }] of texts.entries()) {
        const graph = createGraph();
        const tokens = lengths[row] + 1;
        const input = (name: string, size: number) => graph.input(name, 'float32', [1, tokens, size]);
        const perHead = (name: string) =>
          transpose(reshape(input(name, keyValueWidth), [1, tokens, keyValueHeads, headSize]), [0, 2, 1, 3]);
        const output = attentionInParts(input('queries', width), perHead('keys'), perHead('values'), {
          ...scores,
          positions: graph.input('positions', 'int64', [1, tokens]),
          bias: bias ? graph.input('bias', 'float32', [1, heads, tokens]) : undefined,
          scoreBytes: 2 ** 20,
          fewestQueries: 32,
          packed: false,
        });
        const ofKeys = Float32Array.from({ length: heads * tokens }, (_, i) => {
          return slopes.data[Math.floor(i / tokens) * longest + (i % tokens)];
        });
        const { y } = await compute(emitModel({ y: output }), {
          queries,
          keys,
          values,
          positions: {
            data: BigInt64Array.from({ length: tokens }, (_, i) => BigInt(i)),
            shape: [1, tokens],
          },
          bias: { data: ofKeys, shape: [1, heads, tokens] },
        });
        right.push(...(y as Float32Array).slice(-width));
      }

      // The last token of each, behind what the cache has of those before.
      const graph = createGraph();
      const input = (name: string, size: number) => graph.input(name, 'float32', [rows, 1, size]);
      const past = (name: string) => graph.input(name, 'float32', [rows, keyValueHeads, capacity, headSize]);
      const ofQueries = bias
        ? [reshape(graph.input('bias', 'float32', [1, heads, longest]), [1, heads, 1, longest])]
        : [];
      const [y, keys, values] = cachedAttention(
        [
          input('queries', width),
          input('keys', keyValueWidth),
          input('values', keyValueWidth),
          past('past_keys'),
          past('past_values'),
          graph.input('last_keys', 'int32', [rows]),
          graph.input('longest', 'int32', [1]),
          ...ofQueries,
        ],
        scores,
      );
      const last = (name: 'queries' | 'keys' | 'values', size: number): HostTensor => ({
        data: Float32Array.from(texts.flatMap((text) => [...text[name].data.slice(-size)])),
        shape: [rows, 1, size],
      });
      const cacheOf = (name: 'keys' | 'values') => {
        const data = new Float32Array(rows * keyValueHeads * capacity * headSize).fill(Number.NaN);
        const put = (row: number, token: number) => {
          for (let head = 0; head < keyValueHeads; head++) {
            const from = token * keyValueWidth + head * headSize;
            const to = ((row * keyValueHeads + head) * capacity + token) * headSize;
            data.set(texts[row][name].data.subarray(from, from + headSize), to);
          }
        };
        for (const [row, length] of lengths.entries()) for (let i = 0; i < length; i++) put(row, i);
        const tensor = { data, shape: [rows, keyValueHeads, capacity, headSize] };
        const full = () => {
          const before = data.slice();
          for (const [row, length] of lengths.entries()) put(row, length);
          return { found: before, right: data };
        };
        return { tensor, full };
      };
      const caches = { keys: cacheOf('keys'), values: cacheOf('values') };
      const mixed = { data: new Float32Array(rows * width), shape: [rows, 1, width] };
      await compute(
        emitModel({ y, [keys.name]: keys, [values.name]: values }),
        {
          queries: last('queries', width),
          keys: last('keys', keyValueWidth),
          values: last('values', keyValueWidth),
          past_keys: caches.keys.tensor,
          past_values: caches.values.tensor,
          last_keys: { data: Int32Array.from(lengths), shape: [rows] },
          longest: { data: Int32Array.of(longest), shape: [1] },
          bias: slopes,
        },
        { y: mixed, [keys.name]: caches.keys.tensor, [values.name]: caches.values.tensor },
      );
      expect(largestDifference(mixed.data, right)).toBeLessThan(1e-5);
      for (const cache of Object.values(caches)) {
        const { found, right: whole } = cache.full();
        expect(found).toEqual(whole);
      }
    }),
    { numRuns: 20 },
  );
});

async function compute(
  model: Uint8Array,
  feeds: Record<string, HostTensor>,
  into?: Record<string, HostTensor>,
) {
  const session = await openSession(model, { threads: 1 });
  const results = await session.run(feeds, into);
  await session.close();
  return results;
}
