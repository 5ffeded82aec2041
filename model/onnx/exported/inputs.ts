import { type GraphProto, type NodeProto, TensorProto_DataType } from 'onnx-buf';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { Dimension } from '../../graph/shape.ts';
import { dataTypes } from '../node.ts';
import { NodeList } from '../node-list.ts';
import { type DeclaredTensor, declaredTensor, formatTensor } from './declared-tensor.ts';

/** An input that exported models have, and how it is computed from our `input_ids` and `position_ids`. */
interface KnownInput {
  readonly name: RegExp;
  /** The form that is supported, for messages. */
  readonly form: string;
  fits(declared: DeclaredTensor): boolean;
  /** Adds nodes that end in the value `name`. */
  make(nodes: NodeList, name: string, declared: DeclaredTensor): void;
}

const isOpen = (size: Dimension): boolean => typeof size === 'string';
const isOpenMatrix = ({ shape }: DeclaredTensor): boolean =>
  shape === undefined || (shape.length === 2 && shape.every(isOpen));
const isInteger = ({ dataType }: DeclaredTensor): boolean =>
  dataType === dataTypes.int32 || dataType === dataTypes.int64;

/** One of our inputs, cast to the type that the model takes. */
const ours = (name: string): KnownInput => ({
  name: new RegExp(`^${name}$`),
  form: 'int32 or int64 [batch, length], both sizes open',
  fits: (declared) => isInteger(declared) && isOpenMatrix(declared),
  make: (nodes, target, { dataType }) => nodes.add('Cast', [name], { to: dataType }, target),
});

const knownInputs: readonly KnownInput[] = [
  ours('input_ids'),
  ours('position_ids'),
  {
    name: /^attention_mask$/,
    form: '[batch, length], both sizes open',
    fits: isOpenMatrix,
    // All ones: every id equals itself.
    make: (nodes, target, { dataType }) =>
      nodes.add('Cast', [nodes.add('Equal', ['input_ids', 'input_ids'])], { to: dataType }, target),
  },
  {
    name: /^past_key_values\.\d+\.(key|value)$/,
    form: '[batch, heads, past length, head size], heads and head size known',
    fits: ({ shape }) => shape?.length === 4 && !isOpen(shape[1]) && !isOpen(shape[3]),
    make: (nodes, target, { dataType, shape }) => {
      const [, heads, , headSize] = shape as readonly number[];
      const batch = nodes.add('Gather', [nodes.add('Shape', ['input_ids']), nodes.int64s([0])], { axis: 0 });
      const sizes = nodes.add('Concat', [batch, nodes.int64s([heads, 0, headSize])], { axis: 0 });
      nodes.add('Cast', [nodes.add('ConstantOfShape', [sizes])], { to: dataType }, target);
    },
  },
  {
    // Of a merged decoder: false chooses the branch without past keys.
    name: /^use_cache_branch$/,
    form: 'bool [1]',
    fits: ({ dataType, shape }) => dataType === TensorProto_DataType.BOOL && shape?.length === 1,
    make: (nodes, target) => nodes.constant(TensorProto_DataType.BOOL, [1], Uint8Array.of(0), target),
  },
];

const supported =
  'input_ids, position_ids, attention_mask, past_key_values.N.key, past_key_values.N.value and use_cache_branch';

/**
 * Nodes that compute every input of an exported model from ours: `input_ids` and `position_ids`.
 *
 * @param prefix of the names of its values
 * @param path of its file, for messages
 * @throws FuseMeshError invalid_argument where it needs an input that we cannot compute
 */
export function inputNodes(graph: GraphProto, prefix: string, path: string): NodeProto[] {
  const refusal = (problem: string) => new FuseMeshError('invalid_argument', `${path}: ${problem}`);
  // Before IR version 4, constants stood among the inputs too.
  const constants = new Set(graph.initializer.map(({ name }) => name));
  const inputs = graph.input.filter(({ name }) => !constants.has(name));
  if (!inputs.some(({ name }) => name === 'input_ids'))
    throw refusal('it has no input "input_ids"; export it as a model of causal language modelling');
  return inputs.flatMap((input) => {
    const known = knownInputs.find(({ name }) => name.test(input.name));
    if (!known) throw refusal(`it needs an input "${input.name}"; supported are ${supported}`);
    const declared = declaredTensor(input);
    if (!declared || !known.fits(declared)) {
      throw refusal(
        `its input "${input.name}" is ${formatTensor(declared)}; supported is ${known.form}: export it so`,
      );
    }
    const nodes = new NodeList(`given/${input.name}`);
    known.make(nodes, prefix + input.name, declared);
    return nodes.all;
  });
}
