import { Graph, type OperatorTable } from './graph.ts';
import { elementwiseOperators } from './operators/elementwise.ts';
import { indexingOperators } from './operators/indexing.ts';
import { productOperators } from './operators/products.ts';
import { reductionOperators } from './operators/reductions.ts';
import { shapingOperators } from './operators/shaping.ts';

/** Every primitive, with its shape rule and its gradient side by side. */
export const operators: OperatorTable = {
  ...elementwiseOperators,
  ...productOperators,
  ...reductionOperators,
  ...shapingOperators,
  ...indexingOperators,
};

/** An empty graph of these operators. */
export const createGraph = (): Graph => new Graph(operators);
