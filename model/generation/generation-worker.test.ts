import { basename } from 'node:path';
import { expect, it } from 'vitest';
import { goldenModels, goldenTeachers, openExpected, readInt32 } from '../../test/support/golden.ts';
import { startWorker } from '../runtime/worker.ts';
import type { GenerationMethods } from './generation-worker.ts';

const greedy = { temperature: 0, topP: 1, seed: 0 };
const promptTokens = 6;

it.each([...goldenModels(), ...goldenTeachers()].map((path) => [basename(path), path]))(
  'generates what transformers generates: %s',
  async (_, directory) => {
    const expected = await openExpected(directory);
    const inputIds = await readInt32(expected, 'input_ids');
    const right = await readInt32(expected, 'greedy');
    await expected.close();

    const { remote, stop } = startWorker<GenerationMethods>(
      new URL('./generation-worker.ts', import.meta.url),
    );
    try {
      await remote.load(directory, 1);
      let token = await remote.begin(0, inputIds.slice(0, promptTokens), greedy);
      const generated = [token];
      while (generated.length < right.length) {
        token = await remote.next(0, token);
        generated.push(token);
      }
      expect(right.length).toBe(64);
      expect(generated).toEqual([...right]);
    } finally {
      await stop();
    }
  },
);
