import { basename } from 'node:path';
import { expect, it } from 'vitest';
import { goldenModels, goldenTeachers, openExpected, readInt32 } from '../../test/support/golden.ts';
import { startWorker } from '../runtime/worker.ts';
import type { GenerationMethods } from './generation-worker.ts';

const sampling = { temperature: 0, topP: 1, seed: 0 };
const promptTokens = 6;
const together = 8;

it.each([...goldenModels(), ...goldenTeachers()].map((path) => [basename(path), path]))(
  'generates what transformers generates, 8 texts of different lengths at a time that come and go: %s',
  async (_, directory) => {
    const expected = await openExpected(directory);
    const inputIds = await readInt32(expected, 'input_ids');
    const greedy = [...(await readInt32(expected, 'greedy'))];
    await expected.close();
    expect(greedy).toHaveLength(64);
    const whole = [...inputIds.slice(0, promptTokens), ...greedy];

    const { remote, stop } = startWorker<GenerationMethods>(
      new URL('./generation-worker.ts', import.meta.url),
    );
    try {
      await remote.load(0, directory, { threads: 1, most: 2 ** 30 });
      // Of each text transformers has generated more than the one before: it goes on as that text does.
      const texts = Array.from({ length: together }, (_, i) =>
        whole.slice(0, promptTokens + ((i * 7) % 8) * 8),
      );
      let begun = 0;
      let ended = 0;
      while (ended < together) {
        // The others are halfway when the last ones come.
        for (const end = begun + 2; begun < Math.min(end, together); begun++) {
          const prompt = Int32Array.from(texts[begun]);
          const sequence = { id: begun, prompt, sampling, logProbabilities: undefined, most: whole.length };
          await remote.begin(0, sequence);
        }
        for (const outcome of await remote.step()) {
          if (!('token' in outcome)) throw new Error(outcome.message);
          const text = texts[outcome.sequence];
          text.push(outcome.token);
          if (text.length < whole.length) continue;
          await remote.end(outcome.sequence);
          ended++;
        }
      }
      expect(texts).toEqual(texts.map(() => whole));
    } finally {
      await stop();
    }
  },
);
