import {
  gatherElements,
  gatherRows,
  neg,
  rotaryEmbedding,
  scatterAddElements,
  scatterAddRows,
  zeros,
} from '../expressions.ts';
import type { OperatorTable, Value } from '../graph.ts';
import { type Dimension, product, sameShape } from '../shape.ts';
import { expectType, refuse } from './rules.ts';

/** Values picked and placed by index. */
export const indexingOperators: OperatorTable = {
  GatherRows: {
    infer: (inputs) => {
      const [table, indices] = inputs as [Value, Value];
      expectType('GatherRows', indices, 'int32', 'int64');
      if (table.shape.length < 1 || indices.shape.length !== 1)
        refuse('GatherRows', inputs, 'takes a table and a row of indices');
      return [{ elementType: table.elementType, shape: [...indices.shape, ...table.shape.slice(1)] }];
    },
    gradient: ({ inputs: [table, indices], cotangent }) => {
      const rows = table.shape[0];
      if (typeof rows === 'string') refuse('GatherRows', [table], 'its gradient needs a table of fixed size');
      const zero = zeros(table.graph, [rows, ...(table.shape.slice(1) as number[])]);
      return [scatterAddRows(zero, indices, cotangent), undefined];
    },
  },
  ScatterAddRows: {
    infer: (inputs) => {
      const [table, indices, updates] = inputs as [Value, Value, Value];
      expectType('ScatterAddRows', indices, 'int32', 'int64');
      if (!sameShape(updates.shape, [...indices.shape, ...table.shape.slice(1)]))
        refuse('ScatterAddRows', inputs, 'there must be one index for every update, as wide as the table');
      return [table.type];
    },
    gradient: ({ inputs: [, indices], cotangent }) => [cotangent, undefined, gatherRows(cotangent, indices)],
  },
  GatherElements: {
    infer: (inputs) => {
      const [x, indices] = inputs as [Value, Value];
      expectType('GatherElements', indices, 'int32', 'int64');
      if (x.shape.length !== 2 || indices.shape.length !== 2 || x.shape[0] !== indices.shape[0]) {
        refuse('GatherElements', inputs, 'takes a matrix and as many rows of indices');
      }
      return [{ elementType: x.elementType, shape: indices.shape }];
    },
    gradient: ({ inputs: [x, indices], cotangent }) => {
      if (typeof product(x.shape) === 'string')
        refuse('GatherElements', [x], 'its gradient needs a fixed shape');
      const zero = zeros(x.graph, x.shape as readonly number[]);
      return [scatterAddElements(zero, indices, cotangent), undefined];
    },
  },
  ScatterAddElements: {
    infer: (inputs) => {
      const [x, indices, updates] = inputs as [Value, Value, Value];
      expectType('ScatterAddElements', indices, 'int32', 'int64');
      if (!sameShape(indices.shape, updates.shape))
        refuse('ScatterAddElements', inputs, 'there must be one index for every update');
      return [x.type];
    },
    gradient: ({ inputs: [, indices], cotangent }) => [
      cotangent,
      undefined,
      gatherElements(cotangent, indices),
    ],
  },
  Zeros: {
    infer: (_, { sizes }) => [{ elementType: 'float32', shape: sizes as readonly number[] }],
  },
  TopK: {
    infer: ([x, k], attributes) => {
      expectType('TopK', k, 'int64');
      const size = attributes['size'] as Dimension;
      const available = x.shape.at(-1);
      if (typeof size === 'number' && typeof available === 'number' && (size < 1 || size > available))
        refuse('TopK', [x], `has no ${size} values along its last axis`);
      const shape = x.shape.with(-1, size);
      return [
        { elementType: x.elementType, shape },
        { elementType: 'int64', shape },
      ];
    },
  },
  RotaryEmbedding: {
    infer: (inputs) => {
      const [x, positions, cos, sin] = inputs as [Value, Value, Value, Value];
      expectType('RotaryEmbedding', positions, 'int64');
      const width = x.shape[2];
      const half = cos.shape[1];
      const fits =
        x.shape.length === 3 &&
        typeof width === 'number' &&
        typeof half === 'number' &&
        width % (2 * half) === 0;
      if (!fits || !sameShape(cos.shape, sin.shape) || !sameShape(positions.shape, x.shape.slice(0, 2))) {
        refuse(
          'RotaryEmbedding',
          inputs,
          'takes [batch, length, heads · 2r], positions [batch, length], cos and sin [positions, r]',
        );
      }
      return [x.type];
    },
    // A rotation; its transpose is the rotation back.
    gradient: ({ inputs: [, positions, cos, sin], cotangent }) => [
      rotaryEmbedding(cotangent, positions, cos, neg(sin)),
      undefined,
      undefined,
      undefined,
    ],
  },
};
