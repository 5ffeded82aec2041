import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
  type ValueInfoProto,
} from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../test/support/random.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import type { Shape } from '../../graph/shape.ts';
import type { ElementType } from '../../graph/tensor-type.ts';
import { openScoredModel } from '../../scoring/open-scored-model.ts';
import { dataTypes, onnxNode } from '../node.ts';
import { NodeList } from '../node-list.ts';
import { valueInfo } from '../value-info.ts';
import { readExportedModel } from './read-exported-model.ts';

const vocabularySize = 5;
const config = { model_type: 'test', vocab_size: vocabularySize, n_positions: 8 };

/** Row i: logits of the token after token i. */
const table = Float32Array.from({ length: vocabularySize ** 2 }, createRandom(1));

const input = (name: string, elementType: ElementType, ...shape: Shape): ValueInfoProto =>
  valueInfo(name, { elementType, shape });

const tensor = (name: string, dims: readonly number[], { buffer }: { readonly buffer: ArrayBuffer }) =>
  create(TensorProtoSchema, {
    name,
    dims: dims.map(BigInt),
    dataType: TensorProto_DataType.FLOAT,
    rawData: new Uint8Array(buffer),
  });

interface Written {
  readonly operatorSet?: number;
  readonly inputs?: readonly ValueInfoProto[];
  readonly outputs?: readonly ValueInfoProto[];
  readonly change?: (graph: GraphProto) => void;
  readonly config?: object;
}

const ids = input('input_ids', 'int64', 'batch', 'sequence');
const logits = input('logits', 'float32', 'batch', 'sequence', vocabularySize);

/** Writes a model that looks its logits up in the table: table[input_ids]. */
async function write(written: Written = {}): Promise<string> {
  const { inputs = [ids], outputs = [logits] } = written;
  const graph = create(GraphProtoSchema, {
    name: 'test',
    node: [onnxNode('Gather', ['table', 'input_ids'], ['logits'])],
    initializer: [tensor('table', [vocabularySize, vocabularySize], table)],
    input: [...inputs],
    output: [...outputs],
  });
  written.change?.(graph);
  const opsetImport = [{ domain: '', version: BigInt(written.operatorSet ?? 18) }];
  const model = create(ModelProtoSchema, { irVersion: 6n, opsetImport, graph });
  const path = join(await temporaryDirectory(), 'model.onnx');
  await writeFile(path, toBinary(ModelProtoSchema, model));
  await writeFile(join(dirname(path), 'config.json'), JSON.stringify(written.config ?? config));
  return path;
}

const read = (path: string) => readExportedModel(path, dirname(path));

/** Puts nodes in front of the output, which becomes theirs; they may use the logits so far, as "plain". */
const behindTable = (graph: GraphProto, add: (nodes: NodeList) => void) => {
  // A node may be called what is the name of a value elsewhere.
  Object.assign(graph.node[0], { name: 'input_ids', output: ['plain'] });
  const nodes = new NodeList('between');
  add(nodes);
  graph.node.push(...nodes.all);
};

/** Scores two texts, the second padded, and compares all that comes out with what the table says. */
async function expectScores(path: string, tolerance = 1e-6): Promise<void> {
  const model = await openScoredModel({ directory: dirname(path), exported: path }, 1);
  const texts = [Int32Array.of(3, 0, 4), Int32Array.of(1, 2)];
  const scores = await model.score(texts, vocabularySize);
  await model.close();
  expect(scores.logProbabilities).toHaveLength(2 * 3 * vocabularySize);
  for (const [row, id] of [3, 0, 4, 1, 2].entries()) {
    const values = table.subarray(id * vocabularySize, (id + 1) * vocabularySize);
    const total = Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0));
    for (let j = row * vocabularySize; j < (row + 1) * vocabularySize; j++) {
      const expected = values[scores.candidateIds[j]] - total;
      expect(Math.abs(scores.logProbabilities[j] - expected)).toBeLessThan(tolerance);
    }
    const next = [0, 4, 0, 2, 0][row];
    expect(Math.abs(scores.labelLogProbabilities[row] - (values[next] - total))).toBeLessThan(tolerance);
  }
}

describe('a model of every operator set is scored', () => {
  const sets = Array.from({ length: 11 }, (_, i) => 11 + i);

  it.each(sets)('%i', async (operatorSet) => {
    await expectScores(await write({ operatorSet }));
  });

  it.each(sets)('%i, with all inputs that are known', async (operatorSet) => {
    const past = (name: string) => input(`past_key_values.${name}`, 'float16', 'batch', 2, 'past', 3);
    const inputs = [
      input('input_ids', 'int32', 'b', 's'),
      input('attention_mask', 'int64', 'b', 'p + s'),
      input('position_ids', 'int32', 'b', 's'),
      past('0.key'),
      past('0.value'),
    ];
    // logits · mask · (1 + past length): as they were, where the mask is of ones and the past is empty.
    const change = (graph: GraphProto) =>
      behindTable(graph, (nodes) => {
        const keepRows = nodes.int64s([0, 0, 1]);
        const floats = (name: string) => nodes.add('Cast', [name], { to: dataTypes.float32 });
        const masked = nodes.add('Mul', [
          'plain',
          nodes.add('Reshape', [floats('attention_mask'), keepRows]),
        ]);
        const sizes = nodes.add('Concat', ['past_key_values.0.key', 'past_key_values.0.value'], { axis: 0 });
        const length = nodes.add('Gather', [nodes.add('Shape', [sizes]), nodes.int64s([2])]);
        const factor = nodes.add('Add', [floats(length), nodes.float(1)]);
        nodes.add('Mul', [masked, factor], {}, 'logits');
      });
    await expectScores(await write({ operatorSet, inputs, change }));
  });
});

describe('an exported model', () => {
  it.each<[ElementType, number]>([
    ['float16', 1e-3],
    ['bfloat16', 1e-2],
  ])('may give its logits as %s', async (elementType, tolerance) => {
    const outputs = [input('logits', elementType, 'b', 's', 'v')];
    const change = (graph: GraphProto) =>
      behindTable(graph, (nodes) => nodes.add('Cast', ['plain'], { to: dataTypes[elementType] }, 'logits'));
    await expectScores(await write({ outputs, change }), tolerance);
  });

  it('may have values of any name, ours too', async () => {
    const ours = [
      ...['labels', 'k', 'position_ids', 'log_probabilities', 'candidate_ids', 'label_log_probabilities'],
      ...[
        'logsoftmax',
        'topk',
        'cast',
        'reshape',
        `integers_-1_${vocabularySize}`,
        'exported/logits',
        'plain/0',
      ],
    ];
    const names = fc.uniqueArray(fc.constantFrom(...ours), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(names, async (chain) => {
        const change = (graph: GraphProto) =>
          behindTable(graph, (nodes) => {
            const last = chain.reduce(
              (from, name) => nodes.add('Neg', [nodes.add('Neg', [from])], {}, name),
              'plain',
            );
            nodes.add('Identity', [last], {}, 'logits');
          });
        await expectScores(await write({ change }));
      }),
      { numRuns: 20 },
    );
  });

  it('may hold two decoders in one, of which that without a past runs', async () => {
    const branch = (name: string, nodes: NodeProto[]) =>
      create(AttributeProtoSchema, {
        name,
        type: AttributeProto_AttributeType.GRAPH,
        g: { name, node: nodes, output: [input('chosen', 'float32', 'b', 's', vocabularySize)] },
      });
    const change = (graph: GraphProto) =>
      behindTable(graph, (nodes) => {
        nodes.add('If', ['use_cache_branch'], {}, 'logits');
        nodes.all[0].attribute.push(
          // Both look at values of the graph around them.
          branch('then_branch', [onnxNode('Neg', ['plain'], ['chosen'])]),
          branch('else_branch', [onnxNode('Identity', ['plain'], ['chosen'])]),
        );
      });
    await expectScores(await write({ inputs: [ids, input('use_cache_branch', 'bool', 1)], change }));
  });

  it('may list its constants among its inputs', async () => {
    await expectScores(await write({ inputs: [ids, input('table', 'float32', 5, 5)] }));
  });

  it('says what it is', async () => {
    expect(await read(await write())).toMatchObject({
      family: 'test',
      parameters: 25,
      vocabularySize: 5,
      contextLength: 8,
    });
  });
});

describe('what cannot be scored is refused, naming the file and what is wrong', () => {
  const external =
    (length: number, location = 'config.json') =>
    (graph: GraphProto) => {
      const [values] = graph.initializer;
      values.dataLocation = TensorProto_DataLocation.EXTERNAL;
      values.rawData = new Uint8Array();
      const entries = { location, length: String(length) };
      values.externalData = Object.entries(entries).map(([key, value]) => ({
        $typeName: 'onnx.StringStringEntryProto',
        key,
        value,
      }));
    };
  const cases: [string, Written, string, string][] = [
    [
      'another input',
      { inputs: [ids, input('pixel_values', 'float32', 'batch', 3)] },
      'invalid_argument',
      'needs an input "pixel_values"; supported are input_ids, position_ids, attention_mask, past_key_values.N.key',
    ],
    [
      'sizes that are fixed',
      { inputs: [input('input_ids', 'int64', 1, 8)] },
      'invalid_argument',
      'input "input_ids" is int64 [1, 8]; supported is int32 or int64 [batch, length], both sizes open',
    ],
    [
      'no ids',
      { inputs: [input('inputs_embeds', 'float32', 'b', 's', 4)] },
      'invalid_argument',
      'has no input "input_ids"',
    ],
    [
      'no logits',
      { outputs: [input('last_hidden_state', 'float32', 'b', 's', 4)] },
      'invalid_argument',
      'has no output "logits" but last_hidden_state',
    ],
    [
      'logits of one token',
      { outputs: [input('logits', 'float32', 'b', vocabularySize)] },
      'invalid_argument',
      'logits are float [b, 5]; supported are float, float16 and bfloat16 [batch, length, vocabulary]',
    ],
    [
      'an old operator set',
      { operatorSet: 9 },
      'invalid_argument',
      'operator set 9: export it with 11 or a newer',
    ],
    [
      'another vocabulary',
      { config: { ...config, vocab_size: 6 } },
      'invalid_argument',
      'has logits of 5 tokens, ',
    ],
    [
      'a context of unknown length',
      { config: { model_type: 'test', vocab_size: 5 } },
      'invalid_argument',
      'it has none of max_position_embeddings, n_positions, max_seq_len and n_ctx',
    ],
    ['a config without a family', { config: {} }, 'invalid_argument', 'config.json: model_type: '],
    [
      'weights that end too early',
      { change: external(1000) },
      'data_loss',
      'needs 1000 of it: download it again',
    ],
    [
      'weights outside of its directory',
      { change: external(1, '../other/weights') },
      'invalid_argument',
      'keeps its weights in ../other/weights, outside of its directory',
    ],
  ];
  it.each(cases)('%s', async (_, written, code, message) => {
    const path = await write(written);
    await expect(read(path)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    await expect(read(path)).rejects.toThrow(dirname(path));
  });

  it.each([
    ['of a width that its vocab_size does not divide', 6, 'does not give 6 logits a token'],
    [
      'of a multiple of its vocab_size',
      1,
      'does not give 1 logits a token, the vocab_size of its config.json: it gives 5',
    ],
  ])('logits of unknown width: %s', async (_, vocab_size, message) => {
    const outputs = [input('logits', 'float32', 'b', 's', 'v')];
    const path = await write({ outputs, config: { ...config, vocab_size } });
    await expect(openScoredModel({ directory: dirname(path), exported: path }, 1)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(`${path} ${message}`),
    });
  });

  it('operators that ONNX Runtime has not', async () => {
    const change = (graph: GraphProto) =>
      behindTable(graph, (nodes) => nodes.add('NoSuchOperator', ['plain'], {}, 'logits'));
    const path = await write({ change });
    await expect(openScoredModel({ directory: dirname(path), exported: path }, 1)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(/model\.onnx cannot be opened: .*NoSuchOperator/),
    });
  });

  it('a file that is no protobuf, or none at all', async () => {
    const path = join(await temporaryDirectory(), 'model.onnx');
    await expect(read(path)).rejects.toMatchObject({ code: 'not_found' });
    for (const content of ['', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n']) {
      await writeFile(path, content);
      await expect(read(path)).rejects.toMatchObject({
        code: 'data_loss',
        message: `${path} is not an ONNX model: download or export it again`,
      });
    }
  });
});
