import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Conversation } from '../../model/chat/conversation.ts';
import { fusionSettings } from '../../test/support/fusion-settings.ts';
import type { TextDistribution } from '../../wire/codec/text-distribution.ts';
import { RolloutSchema } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { alignWithItself } from '../align/alignment.ts';
import { rowsByBoundary } from '../fuse/source-row.ts';
import { sameVocabulary } from '../vocabulary/source-vocabulary.ts';
import { assembleBatch, type SourceRelation } from './assemble-batch.ts';
import { batchesOf, type FusedBatch } from './batches.ts';
import type { JoinedDocument } from './joined-document.ts';

/** "ab" by the user from 1 to 3, the completion from 5 to 9, a byte more where each turn ends. */
const ends = [1, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const tokenization = {
  ids: Int32Array.from(ends, (_, i) => i + 1),
  starts: Int32Array.from([0, ...ends.slice(0, -1)]),
  ends: Int32Array.from(ends),
  doubtful: 0,
};
const conversation = (unfinished = false): Conversation => ({
  turns: [
    { role: 'user', content: 'ab', learnt: false, extras: '' },
    { role: 'assistant', content: 'cdef', learnt: true, extras: '', unfinished },
  ],
  tools: '',
});

/** A teacher that is sure of one token everywhere; each token of the text costs it so many nats. */
const said = (teacher: string, candidate: number, nats: number): TextDistribution => ({
  document: 0,
  teacher,
  tokenizerFingerprint: new Uint8Array(32),
  topK: 1,
  tokenIds: tokenization.ids,
  starts: tokenization.starts,
  ends: tokenization.ends,
  candidateIds: new Int32Array(ends.length).fill(candidate),
  logProbabilities: new Float32Array(ends.length),
  tokenLogProbabilities: new Float32Array(ends.length).fill(-nats),
  keptMass: new Float32Array(ends.length).fill(1),
  crossEntropy: nats * (ends.length - 1),
  predictedTokens: ends.length - 1,
  predictedBytes: ends.length - 1,
});
const relation: SourceRelation = (target, source) => {
  const alignment = alignWithItself(target.ids.length);
  return { rows: alignment.rows, read: rowsByBoundary(source, alignment, sameVocabulary(20), 1) };
};
const rolloutBy = (teacher: string, weightsStep = 0) =>
  create(RolloutSchema, { teacher, weightsStep: BigInt(weightsStep), tokens: 5, logProbability: -2 });

/** The learnt rows: the completion's four tokens, and the one that ends it. */
const learntRows = [3, 4, 5, 6, 7];
const taughtBy = ({ fusedIds, fusedProbabilities }: FusedBatch['batch']) =>
  Array.from(fusedIds, (id, row) => (fusedProbabilities[row] > 0 ? id : 0));
const row = (learnt: readonly number[], id: number) => ends.map((_, i) => (learnt.includes(i) ? id : 0));

function assembled(
  rollout: ReturnType<typeof rolloutBy> | undefined,
  changes: object = {},
  unfinished = false,
) {
  const document = {
    number: 0,
    content: conversation(unfinished),
    tokenization,
    rollout,
    // The novelist predicts the text better.
    distributions: [said('orator', 11, 2), said('novelist', 12, 1)],
  };
  const settings = { ...fusionSettings, ...changes };
  return assembleBatch([document], [relation, relation], settings, { candidates: 1 });
}

describe('what the target wrote', () => {
  it.each(['minCE', 'evidence', 'avgCE', 'fixed'] as const)(
    'is judged by the teacher that it names alone, whatever %s would choose',
    (combine) => {
      const changes = { combine, weights: { novelist: 1 } };
      const { batch, chosenSources, absentSources, rollouts, count } = assembled(
        rolloutBy('orator'),
        changes,
      );
      expect(taughtBy(batch)).toEqual(row(learntRows, 11));
      expect([chosenSources, absentSources, [...count.taught]]).toEqual([[0], [[]], [5, 0]]);
      expect(rollouts[0].judge).toEqual({ source: 0, crossEntropy: 10 });
    },
  );

  it('is judged by whom the fusion chooses where it names nobody', () => {
    const { batch, rollouts } = assembled(rolloutBy(''));
    expect(taughtBy(batch)).toEqual(row(learntRows, 12));
    expect(rollouts[0].judge).toEqual({ source: 1, crossEntropy: 5 });
  });

  it('ends by length: its end is neither learnt nor judged', () => {
    const { batch, rollouts, count } = assembled(rolloutBy('orator'), {}, true);
    expect(taughtBy(batch)).toEqual(row(learntRows.slice(0, -1), 11));
    expect([...batch.labels]).toEqual([-1, -1, -1, 5, 6, 7, 8, -1, -1, -1]);
    expect(count.positions).toBe(4);
    expect(rollouts[0]).toMatchObject({
      unfinished: true,
      judge: { crossEntropy: 8 },
      text: 'cdef',
      prompt: 'ab',
    });
  });

  it('is marked, so that only what others say about it is learnt, and nothing where nobody says anything', () => {
    const { batch } = assembled(rolloutBy('orator'));
    expect([...batch.isRollout!]).toEqual(ends.map(() => 1));
    expect(assembled(undefined).batch.isRollout).toBeUndefined();
    const silent: SourceRelation = (...parameters) => ({
      ...relation(...parameters),
      read: (_position, _label, single) => {
        single.count = 0;
      },
    });
    const document = {
      number: 0,
      content: conversation(),
      tokenization,
      distributions: [said('orator', 11, 2)],
    };
    const settings = { ...fusionSettings, unaligned: 'text' as const };
    const ofCorpus = assembleBatch([document], [silent], settings, { candidates: 1 });
    expect(taughtBy(ofCorpus.batch)).toEqual(ends.map((_, i) => (learntRows.includes(i) ? i + 2 : 0)));
    const written = { ...document, rollout: rolloutBy('') };
    const ofRollout = assembleBatch([written], [silent], settings, { candidates: 1 });
    expect(taughtBy(ofRollout.batch)).toEqual(ends.map(() => 0));
  });

  it('is counted by its runs of four tokens', () => {
    const repeating = { ...tokenization, ids: Int32Array.of(1, 2, 3, 4, 7, 7, 7, 7, 7, 9) };
    const document = {
      number: 0,
      content: conversation(),
      tokenization: repeating,
      rollout: rolloutBy('orator'),
      distributions: [said('orator', 11, 2)],
    };
    const { rollouts } = assembleBatch([document], [relation], fusionSettings, { candidates: 1 });
    expect(rollouts[0]).toMatchObject({ fourGrams: 2, repeatedFourGrams: 1 });
  });
});

/** Batches of two documents each, the first of them for a step. */
async function batchesFor(step: number, documents: readonly JoinedDocument[], staleness: number) {
  const passed: string[] = [];
  const batches = batchesOf(
    (async function* () {
      yield* documents;
    })(),
    {
      contextLength: 64,
      candidates: 1,
      batchDocuments: 2,
      encoder: { encodeBatch: async (contents) => contents.map(() => tokenization) },
      relations: () => [relation, relation],
      settings: fusionSettings,
      rollouts: { step, staleness },
      passOver: async ({ number }, reason) => void passed.push(`${number}: ${reason}`),
      signal: new AbortController().signal,
    },
  );
  const made: FusedBatch[] = [];
  for await (const batch of batches) made.push(batch);
  return { made, passed };
}

describe('batches', () => {
  const document = (number: number, weightsStep: number, teacher = 'orator', by = ['orator']) => ({
    number,
    content: conversation(),
    rollout: rolloutBy(teacher, weightsStep),
    distributions: [by.includes('orator') ? said('orator', 11, 2) : undefined, said('novelist', 12, 1)],
  });

  it('pass over what weights that are too old wrote, and what its judge says nothing about, and count them', async () => {
    const documents = [
      document(20, 8),
      document(21, 9),
      document(22, 9),
      document(23, 10, 'orator', []),
      { ...document(24, 3), rollout: undefined },
      document(25, 11, 'nobody'),
    ];
    const { made, passed } = await batchesFor(11, documents, 1);
    expect(made.map(({ documents: learnt }) => learnt)).toEqual([[21], [], [24]]);
    expect(made.map(({ passedOver }) => passedOver)).toEqual([[20], [22, 23], [25]]);
    expect(made.map(({ droppedRollouts }) => droppedRollouts)).toEqual([1, 2, 1]);
    expect(made.map(({ joined }) => joined.length)).toEqual([2, 2, 2]);
    expect(passed).toEqual([
      '20: the weights of step 8 wrote it, and step 11 takes none older than 9 (onPolicy.staleness 1)',
      '22: the weights of step 9 wrote it, and step 12 takes none older than 10 (onPolicy.staleness 1)',
      '23: teacher orator, who is to judge it alone, says nothing about it',
      '25: teacher nobody, who is to judge it alone, says nothing about it',
    ]);
  });

  it('are the same for a training that resumes in the middle', async () => {
    const steps = fc.array(fc.nat(8), { minLength: 2, maxLength: 16 });
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(3), fc.nat(7), async (weights, staleness, at) => {
        const documents = weights.map((weightsStep, number) => document(number, weightsStep));
        const skipped = Math.min(at, Math.floor(documents.length / 2));
        const { made: whole } = await batchesFor(1, documents, staleness);
        const { made: resumed } = await batchesFor(1 + skipped, documents.slice(2 * skipped), staleness);
        const outline = ({ documents: learnt, passedOver, batch }: FusedBatch) => ({
          learnt,
          passedOver,
          batch,
        });
        expect(resumed.map(outline)).toEqual(whole.slice(skipped).map(outline));
        whole.forEach(({ rollouts }, i) => {
          for (const { rollout } of rollouts)
            expect(i - Number(rollout.weightsStep)).toBeLessThanOrEqual(staleness);
        });
      }),
      { numRuns: 50 },
    );
  });
});
