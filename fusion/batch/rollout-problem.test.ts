import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fusionSettings } from '../../test/support/fusion-settings.ts';
import { refusedDistribution } from '../../wire/codec/text-distribution.ts';
import { RolloutSchema } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { rolloutProblem } from './rollout-problem.ts';

const written = (weightsStep: number, teacher = '') =>
  create(RolloutSchema, { weightsStep: BigInt(weightsStep), teacher, tokens: 1 });
const heard = (...teachers: string[]) =>
  teachers.map((teacher) =>
    refusedDistribution({ document: 0, teacher, tokenizerFingerprint: new Uint8Array(32) }, ''),
  );
const document = (rollout: ReturnType<typeof written> | undefined, ...teachers: string[]) => ({
  number: 0,
  content: '',
  rollout,
  distributions: [undefined, ...heard(...teachers)],
});

it('never lets a step train on what older weights wrote than the bound allows, and always on what newer ones did', () => {
  const small = fc.nat(30);
  fc.assert(
    fc.property(small, small, small, (weightsStep, before, staleness) => {
      const step = before + 1;
      const problem = rolloutProblem(
        document(written(weightsStep), 'a'),
        { step, staleness },
        fusionSettings,
      );
      expect(problem === undefined).toBe(step - 1 - weightsStep <= staleness);
      if (problem) expect(problem).toContain(`weights of step ${weightsStep} wrote it`);
    }),
  );
});

it('takes what the named teacher or, where none is named, anybody who counts has judged', () => {
  const problem = (teacher: string, heardOf: string[], settings = fusionSettings) =>
    rolloutProblem(document(written(0, teacher), ...heardOf), undefined, settings);
  expect(problem('', ['a'])).toBeUndefined();
  expect(problem('a', ['b', 'a'])).toBeUndefined();
  expect(problem('a', ['b'])).toBe('teacher a, who is to judge it alone, says nothing about it');
  expect(problem('', [])).toBe('no source that counts says anything about it');
  const fixed = { ...fusionSettings, combine: 'fixed' as const, weights: { a: 1, b: 0 } };
  expect(problem('', ['b'], fixed)).toBe('no source that counts says anything about it');
  expect(problem('', ['a', 'b'], fixed)).toBeUndefined();
  expect(problem('b', ['b'], fixed)).toBeUndefined();
  expect(rolloutProblem(document(undefined), { step: 9, staleness: 0 }, fusionSettings)).toBeUndefined();
});
