import { describe, expect, it } from 'vitest';
import { optionsFor } from '../../test/support/engine-options.ts';
import { goldenModel } from '../../test/support/golden.ts';
import { randomBatch } from '../../test/support/random-batch.ts';
import { gradientsOf } from '../../test/support/training-gradients.ts';
import type { TrainingBatch } from '../training-batch.ts';
import type { Divergence } from './divergences.ts';

const lengths = [9, 4, 12, 7];
const written = [false, true, false, true];
const lambda = 0.3;
const directory = goldenModel('llama-grouped-tied');

/** The batch with the labels of some documents alone. */
function ofDocuments(batch: TrainingBatch, which: readonly boolean[]): TrainingBatch {
  const documents = lengths.flatMap((length, document) => Array<number>(length).fill(document));
  return { ...batch, labels: batch.labels.map((label, i) => (which[documents[i]] ? label : -1)) };
}

interface Case {
  readonly name: string;
  readonly divergence: Divergence;
  /** Of what the model wrote itself, where that is another. */
  readonly rolloutDivergence?: Divergence;
}

const cases: readonly Case[] = [
  { name: 'reverseKL', divergence: { kind: 'reverseKL' } },
  { name: 'jsd', divergence: { kind: 'jsd', beta: 0.4 } },
  { name: 'ce', divergence: { kind: 'ce' } },
  { name: 'reverseKL', divergence: { kind: 'ce' }, rolloutDivergence: { kind: 'reverseKL' } },
];

describe('what the model wrote itself', () => {
  it.each(cases)(
    'learns $name alone, the corpus as before; each token counts the same',
    async ({ divergence, rolloutDivergence }) => {
      const batch = randomBatch(lengths);
      const marks = lengths.flatMap((length, document) =>
        Array<number>(length).fill(Number(written[document])),
      );
      const options = { ...optionsFor(batch), contextLength: 12, divergence };
      const mixed = { ...batch, isRollout: Uint8Array.from(marks) };
      const together = await gradientsOf(directory, { ...options, lambda, rolloutDivergence }, mixed);
      const ofCorpus = ofDocuments(
        batch,
        written.map((own) => !own),
      );
      const corpus = await gradientsOf(directory, { ...options, lambda }, ofCorpus);
      const alone = { ...options, lambda: 0, divergence: rolloutDivergence ?? divergence };
      const own = await gradientsOf(directory, alone, ofDocuments(batch, written));

      const { tokens } = together.losses;
      expect(tokens).toBe(corpus.losses.tokens + own.losses.tokens);
      const mean = (ofCorpusTokens: number, ofOwnTokens: number) =>
        (ofCorpusTokens * corpus.losses.tokens + ofOwnTokens * own.losses.tokens) / tokens;
      expect(together.losses.loss).toBeCloseTo(mean(corpus.losses.loss, own.losses.fusionLoss), 5);
      expect(together.losses.causalLoss).toBeCloseTo(corpus.losses.causalLoss, 5);
      expect(together.losses.fusionLoss).toBeCloseTo(
        mean(corpus.losses.fusionLoss, own.losses.fusionLoss),
        5,
      );
      for (const [name, gradient] of together.gradients) {
        const [a, b] = [corpus.gradients.get(name)!, own.gradients.get(name)!];
        const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
        for (let i = 0; i < gradient.length; i++) {
          expect(Math.abs(gradient[i] - mean(a[i], b[i])) / largest, name).toBeLessThan(2e-5);
        }
      }
    },
  );

  it('teaches nothing where nobody has judged it', async () => {
    const batch = randomBatch([6]);
    const silent = {
      ...batch,
      fusedProbabilities: batch.fusedProbabilities.map(() => 0),
      fusedTail: batch.fusedTail.map(() => 0),
      isRollout: new Uint8Array(6).fill(1),
    };
    const { losses, gradients } = await gradientsOf(directory, { ...optionsFor(batch), lambda }, silent);
    expect(losses).toMatchObject({ loss: 0, causalLoss: 0, fusionLoss: 0 });
    for (const gradient of gradients.values()) expect(gradient.every((value) => value === 0)).toBe(true);
  });
});
