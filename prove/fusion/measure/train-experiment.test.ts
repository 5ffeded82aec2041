import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { modelDirectory } from '../../../examples/zoo/layout.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { recordSource } from './record-source.ts';
import { loadDemo, settingsOf } from './settings.ts';
import { trainExperiment } from './train-experiment.ts';

const texts = [
  'Fellow citizens of the Senate and of the House of Representatives.',
  'Call me Ishmael. Some years ago, never mind how long precisely, I went to sea.',
  'npm install reads the file package.json and puts 201 packages into node_modules.',
  'It is a truth universally acknowledged, that a single man must be in want of a wife.',
];
const target = modelDirectory('target');

test('an experiment trains on the recorded documents in its own order, and ends with the same weights again', {
  timeout: 120_000,
}, async () => {
  const directory = await temporaryDirectory();
  const heldOut = join(directory, 'held-out.txt');
  await writeFile(heldOut, 'Mr. Bennet was among the earliest of those who waited on Mr. Bingley.');
  const documents = { texts, sha256: 'ab'.repeat(32), contextLength: 256 };
  const sources = await Promise.all(
    ['orator', 'novelist'].map(async (name) => {
      const recording = { directory: join(directory, name), say: () => undefined };
      await recordSource({ name, model: modelDirectory(name) }, documents, {
        ...recording,
        signal: new AbortController().signal,
      });
      return { name, recording: recording.directory };
    }),
  );
  const experiment = {
    name: 'two teachers',
    group: 'main',
    sources: ['orator', 'novelist'],
    topK: 5,
  } as const;
  const { config, topP } = settingsOf(experiment, await loadDemo(), target);
  const trained = (recorded: readonly number[]) =>
    trainExperiment({
      config: {
        ...config,
        heldOut: [{ domain: 'fiction', path: heldOut }],
        trainer: { ...config.trainer, batchDocuments: 2 },
      },
      topP,
      texts: recorded.map((number) => texts[number]),
      recorded,
      sources,
      tokenizers: [target],
      stop: new Int32Array(new SharedArrayBuffer(4)),
    });
  const first = await trained([2, 0, 3]);
  expect(first).toMatchObject({ steps: 2, skippedSteps: 0, bitsPerByte: { fiction: expect.any(Number) } });
  expect((await trained([2, 0, 3])).weightsSha256).toBe(first.weightsSha256);
  expect((await trained([3, 2, 0])).weightsSha256).not.toBe(first.weightsSha256);
});
