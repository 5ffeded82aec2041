import fc from 'fast-check';
import { expect, it } from 'vitest';
import { largestDifference } from '../../test/support/golden.ts';
import { createRandom } from '../../test/support/random.ts';
import { mul, reshape } from '../graph/expressions.ts';
import { pullback } from '../graph/gradients.ts';
import type { Value } from '../graph/graph.ts';
import { createGraph } from '../graph/operators.ts';
import { emitModel } from '../onnx/emit.ts';
import { openSession } from '../runtime/session.ts';
import type { HostTensor } from '../runtime/tensor.ts';
import { attentionOf } from './attention.ts';
import { packedScope, rowScope } from './attention-scope.ts';

const heads = { heads: 4, keyValueHeads: 2, headSize: 3 };

/** At least three queries: parts begin in the middle of documents and at their ends. */
const small = { scoreBytes: 2000, fewestQueries: 3 };

/** A packed row's documents by their lengths. */
const rowsOfDocuments = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });

/** Attention with its cotangents, whole and in parts, on the same values. */
async function bothForms(
  documents: readonly number[],
  options: { packed: boolean; bias: boolean; window: number | undefined; softCap: number | undefined },
  seed: number,
) {
  const length = documents.reduce((sum, tokens) => sum + tokens, 0);
  const rows = 2;
  // The second row is of one document, the first of those that are given.
  const positions = [
    ...documents.flatMap((tokens) => Array.from({ length: tokens }, (_, i) => i)),
    ...Array.from({ length }, (_, i) => i),
  ];
  if (!options.packed) positions.splice(0, length, ...positions.slice(length));
  const random = createRandom(seed);
  const floats = (...shape: number[]): HostTensor => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 4 * random() - 2),
  });
  const slots = Int32Array.from({ length: rows * length }, (_, i) => i);
  const mask = Float32Array.from({ length: rows * length * length }, (_, i) => {
    const [query, key] = [Math.floor(i / length), i % length];
    const slot = query % length;
    return key <= slot && key >= slot - positions[query] ? 0 : Number.NEGATIVE_INFINITY;
  });
  const feeds: Record<string, HostTensor> = {
    queries: floats(rows * length, 12),
    keys: floats(rows * length, 6),
    values: floats(rows * length, 6),
    cotangent: floats(rows * length, 12),
    slopes: floats(4, 1),
    positions: { shape: [rows, length], data: BigInt64Array.from(positions, BigInt) },
    slots: { shape: [rows * length], data: slots },
    mask: { shape: [rows, 1, 1, length, length], data: mask },
  };
  const run = async (inParts: boolean) => {
    const graph = createGraph();
    const input = (name: string, width: number) => graph.input(name, 'float32', ['length*rows', width]);
    const [queries, keys, values] = [input('queries', 12), input('keys', 6), input('values', 6)];
    const at = graph.input('positions', 'int64', ['rows', 'length']);
    const slot = graph.input('slots', 'int32', ['length*rows']);
    const masked = graph.input('mask', 'float32', ['rows', 1, 1, 'length', 'length']);
    const slopes = graph.input('slopes', 'float32', [4, 1]);
    const bias = () =>
      mul(
        reshape(slopes, [1, 4, 1]),
        reshape(graph.input('keyBias', 'float32', ['rows', 'length']), ['rows', 1, 'length']),
      );
    const scope = options.packed
      ? packedScope({ slotTokens: slot, tokenSlots: slot, positions: at, mask: inParts ? small : masked })
      : rowScope(at, { parts: inParts ? small : undefined });
    const weights = { weight: (name: string): Value => graph.input(name, 'float32', [1]) };
    const attend = attentionOf({ positions: at, scope, ...weights }, heads, {
      ...(options.bias && { bias }),
      window: options.window,
      softCap: options.softCap,
    });
    const mixed = attend(0, queries, keys, values);
    const cotangents = pullback(mixed, input('cotangent', 12), [queries, keys, values]);
    const outputs = { mixed, toQueries: cotangents[0], toKeys: cotangents[1], toValues: cotangents[2] };
    const session = await openSession(emitModel(outputs), { threads: 1 });
    const results = await session.run({
      ...feeds,
      keyBias: { shape: [rows, length], data: Float32Array.from(positions) },
    });
    await session.close();
    return results as Readonly<Record<keyof typeof outputs, Float32Array>>;
  };
  return { whole: await run(false), parts: await run(true) };
}

it('attention in parts mixes as all scores together do, and has their gradient, wherever parts and documents end', async () => {
  await fc.assert(
    fc.asyncProperty(
      rowsOfDocuments,
      fc.record({
        packed: fc.boolean(),
        bias: fc.boolean(),
        window: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
        softCap: fc.option(fc.constant(1.5), { nil: undefined }),
      }),
      fc.nat(),
      async (documents, options, seed) => {
        const { whole, parts } = await bothForms(documents, options, seed);
        for (const name of ['mixed', 'toQueries', 'toKeys', 'toValues'] as const) {
          expect(parts[name]).toHaveLength(whole[name].length);
          expect(largestDifference(parts[name], whole[name])).toBeLessThan(1e-4);
        }
      },
    ),
    { numRuns: 40 },
  );
});
