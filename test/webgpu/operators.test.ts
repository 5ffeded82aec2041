import { describe, expect, it } from 'vitest';
import { mul, sumAll } from '../../model/graph/expressions.ts';
import { gradients } from '../../model/graph/gradients.ts';
import { createGraph } from '../../model/graph/operators.ts';
import { emitModel } from '../../model/onnx/emit.ts';
import { openSession } from '../../model/runtime/session.ts';
import { elementType, hostTensor } from '../support/finite-differences.ts';
import { largestDifference } from '../support/golden.ts';
import { operatorCases } from '../support/operator-cases.ts';
import { createRandom } from '../support/random.ts';
import { refusalOfDevice } from './software-device.ts';

const refusal = await refusalOfDevice();

describe.skipIf(refusal)(`operators on a device${refusal ? ` (${refusal})` : ''}`, () => {
  it.each(operatorCases.map((c) => [c.what ? `${c.operator}, ${c.what}` : c.operator, c] as const))(
    '%s: result and gradients are those of the processor',
    async (_, { f, samples }) => {
      const graph = createGraph();
      const inputs = samples.map((sample, i) => graph.input(`x${i}`, elementType(sample), sample.shape));
      const y = f(...inputs);
      const cotangent = graph.input('c', 'float32', y.shape);
      const differentiated = inputs.filter((input) => input.elementType === 'float32');
      const computed = gradients(sumAll(mul(y, cotangent)), differentiated);
      const outputs = { y, ...Object.fromEntries(computed.map((value, i) => [`d${i}`, value])) };

      const random = createRandom(1);
      const shape = y.shape as readonly number[];
      const feeds = Object.fromEntries([
        ...samples.map((sample, i) => [`x${i}`, hostTensor(sample, random)] as const),
        ['c', hostTensor({ shape }, random)],
      ]);
      const run = async (provider: 'cpu' | 'webgpu') => {
        const dialect = provider === 'cpu' ? 'onnxruntime' : provider;
        const session = await openSession(emitModel(outputs, { dialect }), { threads: 1, provider });
        const results = await session.run(feeds);
        await session.close();
        return results;
      };
      const right = await run('cpu');
      const found = await run('webgpu');
      for (const [name, values] of Object.entries(right))
        expect(largestDifference(found[name] as Float32Array, values as Float32Array), name).toBeLessThan(
          1e-5,
        );
    },
  );
});
