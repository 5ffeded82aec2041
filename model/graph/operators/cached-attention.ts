import type { OperatorTable } from '../graph.ts';
import { microsoft, type Named } from '../onnx-writer.ts';
import { sameShape } from '../shape.ts';
import { expectType, refuse } from './refusals.ts';

/**
 * softmax(scale · Q·Kᵀ, capped, + bias) · V of a model that writes, with keys and values that stay in one place from
 * run to run: those of the input are written behind the ones that are there, where past and present are the same
 * memory. It has no gradient, nor a form in the standard.
 */
export const cachedAttentionOperators = {
  CachedAttention: {
    infer: (operands) => {
      const [queries, keys, values, pastKeys, pastValues, lastKeys, longest, bias] = operands;
      for (const operand of [queries, keys, values, pastKeys, pastValues])
        expectType('CachedAttention', operand, 'float32');
      for (const operand of [lastKeys, longest]) expectType('CachedAttention', operand, 'int32');
      const [rows, length, width] = queries.shape;
      const [, heads, , headSize] = pastKeys.shape;
      const fits =
        typeof width === 'number' &&
        typeof heads === 'number' &&
        typeof headSize === 'number' &&
        width % (heads * headSize) === 0 &&
        sameShape(keys.shape, [rows, length, heads * headSize]) &&
        sameShape(values.shape, keys.shape) &&
        sameShape(pastKeys.shape.with(2, 0), [rows, heads, 0, headSize]) &&
        sameShape(pastValues.shape, pastKeys.shape) &&
        sameShape(lastKeys.shape, [rows]) &&
        sameShape(longest.shape, [1]) &&
        (!bias || sameShape(bias.shape.slice(0, 3), [1, width / headSize, length]));
      if (!fits) {
        refuse(
          'CachedAttention',
          operands,
          'takes queries [rows, length, heads · size], keys and values [rows, length, key-value heads · size], the same of the cache [rows, key-value heads, capacity, size], last keys [rows], the longest [1] and a bias [1, heads, length, keys]',
        );
      }
      return [queries.type, pastKeys.type, pastValues.type];
    },
    toOnnx: (onnx, node) => {
      const { scale, softCap = 0, window = -1 } = node.parameters;
      const [queries, keys, values, pastKeys, pastValues, lastKeys, longest, bias] = node.inputs;
      const [, keyValueHeads, , headSize] = pastKeys.shape as readonly number[];
      const attributes = {
        num_heads: (queries.shape[2] as number) / headSize,
        kv_num_heads: keyValueHeads,
        scale: { float: scale },
        softcap: { float: softCap },
        local_window_size: window,
      };
      const inputs: Named[] = [queries, keys, values, pastKeys, pastValues, lastKeys, longest];
      // Cosines, sines and positions stand before it: the queries and keys are rotated already.
      if (bias) inputs.push('', '', '', bias);
      onnx.add('GroupQueryAttention', inputs, attributes, node.outputs, microsoft);
    },
  },
} satisfies Partial<OperatorTable>;
