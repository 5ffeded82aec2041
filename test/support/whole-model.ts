import { rowScope, type SizesOfParts } from '../../model/families/attention-scope.ts';
import { hiddenStates } from '../../model/families/hidden-states.ts';
import { readArchitecture } from '../../model/families/read-architecture.ts';
import { openWeights, readWeights } from '../../model/families/weights.ts';
import type { Value } from '../../model/graph/graph.ts';
import { createGraph } from '../../model/graph/operators.ts';
import type { HostTensor } from '../../model/runtime/tensor.ts';
import type { SafetensorsFile } from '../../model/safetensors/safetensors-file.ts';
import { openExpected, readInt32 } from './golden.ts';

/** A golden model in one graph, and what it is fed. */
export interface WholeModel {
  readonly logits: Value;
  /** Inputs of the graph, by the names of the model's tensors. */
  readonly tensors: ReadonlyMap<string, Value>;
  /** Tokens of the golden file, their positions, and the weights. */
  readonly feeds: Readonly<Record<string, HostTensor>>;
  /** The golden file, to be closed. */
  readonly expected: SafetensorsFile;
}

/** @param parts how large the parts of attention are; undefined where it is computed as a whole */
export async function wholeModel(directory: string, parts: SizesOfParts | undefined): Promise<WholeModel> {
  const architecture = await readArchitecture(directory);
  const source = await openWeights(directory, architecture);
  const weights = await readWeights(source, architecture);
  await source.close();
  const expected = await openExpected(directory);
  const { shape } = expected.tensors.get('input_ids')!;
  const inputIds = await readInt32(expected, 'input_ids');

  const graph = createGraph();
  const tensors = new Map(
    [...architecture.weights].map(([name, shape]) => [name, graph.input(name, 'float32', shape)]),
  );
  const positions = graph.input('position_ids', 'int64', ['batch', 'length']);
  const input = {
    inputIds: graph.input('input_ids', 'int32', ['batch', 'length']),
    positions,
    scope: rowScope(positions, { parts }),
    weight: (name: string) => tensors.get(name)!,
  };
  return {
    logits: architecture.logits(hiddenStates(architecture, input), input),
    tensors,
    feeds: {
      input_ids: { data: inputIds, shape },
      position_ids: { data: BigInt64Array.from(inputIds, (_, i) => BigInt(i % shape[1])), shape },
      ...Object.fromEntries(
        [...weights].map(([name, data]) => [name, { data, shape: architecture.weights.get(name)! }]),
      ),
    },
    expected,
  };
}
