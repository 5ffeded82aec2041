import { Graph, type OperatorTable } from './graph.ts';
import { attentionOperators } from './operators/attention.ts';
import { cachedAttentionOperators } from './operators/cached-attention.ts';
import { elementwiseOperators } from './operators/elementwise.ts';
import { indexingOperators } from './operators/indexing.ts';
import { productOperators } from './operators/products.ts';
import { quantizedOperators } from './operators/quantized.ts';
import { reductionOperators } from './operators/reductions.ts';
import { routingOperators } from './operators/routing.ts';
import { shapingOperators } from './operators/shaping.ts';

/** Every operator: its shape rule, its gradient and how it becomes ONNX side by side. */
export const operators: OperatorTable = {
  ...elementwiseOperators,
  ...productOperators,
  ...quantizedOperators,
  ...reductionOperators,
  ...shapingOperators,
  ...indexingOperators,
  ...attentionOperators,
  ...cachedAttentionOperators,
  ...routingOperators,
};

/** An empty graph of these operators. */
export const createGraph = (): Graph => new Graph(operators);
