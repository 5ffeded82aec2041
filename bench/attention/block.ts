import { Activations } from '../../engine/activations.ts';
import { tensorOfBlock } from '../../engine/graphs/block-graph.ts';
import { cotangentName, resultsOf } from '../../engine/graphs/segment.ts';
import { trainingGraphs } from '../../engine/graphs/training-graphs.ts';
import { packTokens, tokenFeeds } from '../../engine/packing/packed-tokens.ts';
import { rowsOfDocuments } from '../../engine/packing/rows-of-documents.ts';
import { trainedPart } from '../../engine/trained-part.ts';
import { openTrainingSessions } from '../../engine/training-sessions.ts';
import { readArchitecture } from '../../model/families/read-architecture.ts';
import { boundShape, elementCount } from '../../model/graph/shape.ts';
import { processMemory } from '../../model/runtime/memory.ts';
import type { HostTensor } from '../../model/runtime/tensor.ts';
import { createRandom } from '../../test/support/random.ts';
import { partsOf, type Setting, textsOf, threads, type Work } from './setting.ts';

/** Forward and backward pass of one block, each text in a row of its own. */
export async function measureBlock(setting: Setting): Promise<Work> {
  const { directory, rows, length } = setting;
  const architecture = await readArchitecture(directory);
  const part = trainedPart(architecture, undefined);
  const parts = partsOf(setting);
  const graphs = trainingGraphs(architecture, part, { candidates: 1, divergence: { kind: 'ce' }, parts });
  const execution = { provider: 'cpu', precision: 'float32' } as const;
  const sessions = await openTrainingSessions(graphs, { threads, execution }, { toDevice: 0, fromDevice: 0 });
  const { segment, forward, backward } = sessions.kinds[0];
  const texts = textsOf(setting);
  const lengths = texts.map((text) => text.length);
  const packed = packTokens(lengths, rowsOfDocuments(lengths, length), { masked: parts === undefined });
  const sizes = { tokens: rows * length, rows, length };

  const random = createRandom(6);
  const filled = (shape: readonly number[]): HostTensor => ({
    data: Float32Array.from({ length: elementCount(shape) }, () => (random() - 0.5) / 10),
    shape,
  });
  const states = [sizes.tokens, architecture.hiddenSize];
  const feeds = {
    ...tokenFeeds(packed, Int32Array.from(texts.flatMap((text) => [...text])), {
      inParts: parts !== undefined,
    }),
    ...Object.fromEntries(
      segment.tensors.map((name) => [name, filled(part.shapes.get(tensorOfBlock(architecture, 0, name))!)]),
    ),
    hidden: filled(states),
  };
  const saved = new Activations(processMemory, segment.saved, { largest: sizes }).at(sizes);
  const output = { [segment.output.name]: processMemory.allocate(states) };
  const cotangent = { [cotangentName]: filled(states) };
  const results = Object.fromEntries(
    resultsOf(segment, 'alone').map(({ name, shape }) => [
      name,
      processMemory.allocate(boundShape(shape, sizes)),
    ]),
  );
  return {
    run: async () => {
      await forward.run(feeds, { ...saved, ...output });
      await backward!.alone.run({ ...feeds, ...saved, ...cotangent }, results);
    },
    close: () => sessions.close(),
  };
}
