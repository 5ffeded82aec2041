/** Speed of a training step against the bare matrix products that it contains. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { headResults, rowsOfHead } from '../engine/graphs/head-graph.ts';
import { resultsOf } from '../engine/graphs/segment.ts';
import { trainingGraphs } from '../engine/graphs/training-graphs.ts';
import { trainedPart } from '../engine/trained-part.ts';
import type { TrainingBatch } from '../engine/training-batch.ts';
import { TrainingEngine } from '../engine/training-engine.ts';
import type { Architecture } from '../model/families/architecture.ts';
import { readArchitecture } from '../model/families/read-architecture.ts';
import { matmul } from '../model/graph/expressions.ts';
import type { Node, Value } from '../model/graph/graph.ts';
import { createGraph } from '../model/graph/operators.ts';
import { reachable } from '../model/graph/reachable.ts';
import { boundShape } from '../model/graph/shape.ts';
import { emitModel } from '../model/onnx/emit.ts';
import { openSession } from '../model/runtime/session.ts';
import { optionsFor } from '../test/support/engine-options.ts';
import { createRandom } from '../test/support/random.ts';
import { type LlamaSizes, largerSizes, writeRandomLlama, zooSizes } from './random-llama.ts';
import { type Figure, report, shortestSeconds } from './report.ts';

const threads = 2;
const rounds = 3;
const candidates = 10;

/** The size of the zoo's models, where the operators around the products weigh most, and a larger one. */
const models: readonly { name: string; rows: number; length: number; sizes: LlamaSizes }[] = [
  {
    name: 'zoo, 1.1 M parameters',
    rows: 8,
    length: 256,
    sizes: zooSizes(256),
  },
  {
    name: '29 M parameters',
    rows: 8,
    length: 256,
    sizes: largerSizes(256),
  },
];

/** Sizes of a batched product: a times [m, k] × [k, n]. */
interface Product {
  readonly a: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

type Sizes = Readonly<Record<string, number>>;

function productOf({ inputs, parameters, outputs }: Node<'MatMul' | 'MatMulAdd'>, sizes: Sizes): Product {
  const output = boundShape(outputs[0].shape, sizes);
  const left = boundShape(inputs[0].shape, sizes);
  const a = output.slice(0, -2).reduce((all, dimension) => all * dimension, 1);
  return { a, m: output.at(-2)!, k: left.at(parameters.transposeA ? -2 : -1)!, n: output.at(-1)! };
}

/** All matrix products of a step, by size, each with its number. */
function productsOf(architecture: Architecture, rows: number, length: number) {
  const part = trainedPart(architecture, undefined);
  const { kinds, kindOfBlock, head } = trainingGraphs(architecture, part, {
    candidates,
    divergence: { kind: 'ce' },
  });
  const bySize = new Map<string, { product: Product; count: number }>();
  const add = (outputs: readonly Value[], given: readonly Value[], sizes: Sizes) => {
    for (const node of reachable(outputs, given).nodes) {
      if (node.operator !== 'MatMul' && node.operator !== 'MatMulAdd') continue;
      const product = productOf(node, sizes);
      const key = Object.values(product).join('×');
      const known = bySize.get(key);
      if (known) known.count++;
      else bySize.set(key, { product, count: 1 });
    }
  };
  const tokens = rows * length;
  for (const kind of kindOfBlock) {
    const { output, saved } = kinds[kind];
    add([output, ...saved], [], { tokens, rows, length });
    add(resultsOf(kinds[kind], 'alone'), saved, { tokens, rows, length });
  }
  const atOnce = rowsOfHead(architecture);
  for (let begin = 0; begin < tokens; begin += atOnce) {
    add(headResults(head, 'alone'), [], { rows: Math.min(atOnce, tokens - begin) });
  }
  return [...bySize.values()];
}

const flops = ({ a, m, k, n }: Product): number => 2 * a * m * k * n;

/** Shortest time of one bare product of the size, on preallocated buffers. */
async function bareProductSeconds({ a, m, k, n }: Product): Promise<number> {
  const graph = createGraph();
  const left = graph.input('left', 'float32', a === 1 ? [m, k] : [a, m, k]);
  const right = graph.input('right', 'float32', a === 1 ? [k, n] : [a, k, n]);
  const session = await openSession(emitModel({ product: matmul(left, right) }), { threads });
  const random = createRandom(2);
  const tensor = (value: Value) => {
    const shape = value.shape as readonly number[];
    const length = shape.reduce((x, y) => x * y, 1);
    return { shape, data: Float32Array.from({ length }, random) };
  };
  const feeds = { left: tensor(left), right: tensor(right) };
  const into = { product: { shape: a === 1 ? [m, n] : [a, m, n], data: new Float32Array(a * m * n) } };
  const seconds = await shortestSeconds(7, () => session.run(feeds, into));
  await session.close();
  return seconds;
}

function randomBatch(rows: number, length: number, vocabularySize: number): TrainingBatch {
  const random = createRandom(3);
  const ids = (count: number) =>
    Int32Array.from({ length: count }, () => Math.floor(random() * vocabularySize));
  const tokens = rows * length;
  return {
    lengths: Array<number>(rows).fill(length),
    candidates,
    inputIds: ids(tokens),
    labels: ids(tokens),
    fusedIds: ids(tokens * candidates),
    fusedProbabilities: new Float32Array(tokens * candidates).fill(1 / candidates),
    fusedTail: new Float32Array(tokens),
  };
}

const figures: Figure[] = [];
for (const { name, rows, length, sizes } of models) {
  const directory = await mkdtemp(join(tmpdir(), 'fusemesh-bench-'));
  try {
    await writeRandomLlama(directory, sizes);
    const architecture = await readArchitecture(directory);
    const products = productsOf(architecture, rows, length);
    const batch = randomBatch(rows, length, sizes.vocab_size);

    // The sides take turns, so that a machine that changes its speed does not change the ratio. One session at a time:
    // the threads of an idle one keep spinning for a while.
    let step = Number.POSITIVE_INFINITY;
    let optimizer = Number.POSITIVE_INFINITY;
    const bareTimes = products.map(() => Number.POSITIVE_INFINITY);
    for (let round = 0; round < rounds; round++) {
      const engine = await TrainingEngine.start(directory, { ...optionsFor(batch), threads });
      const train = async () => {
        optimizer = Math.min(optimizer, (await engine.step(batch, 1e-4)).optimizerSeconds);
      };
      step = Math.min(step, await shortestSeconds(5, train));
      await engine.close();
      for (const [i, { product }] of products.entries()) {
        bareTimes[i] = Math.min(bareTimes[i], await bareProductSeconds(product));
      }
    }
    const bareSeconds = products.reduce((sum, { count }, i) => sum + count * bareTimes[i], 0);

    const work = products.reduce((sum, { product, count }) => sum + count * flops(product), 0);
    const ratio = bareSeconds / step;
    figures.push(
      { name: `${name}: tokens`, value: (rows * length) / step, unit: 'tokens/s' },
      {
        name: `${name}: matrix products`,
        value: work / step / 1e9,
        unit: 'GFLOP/s',
        baseline: work / bareSeconds / 1e9,
        ratio,
      },
      { name: `${name}: step`, value: step * 1000, unit: 'ms' },
      { name: `${name}: AdamW in it`, value: optimizer * 1000, unit: 'ms' },
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
report('step', figures);
