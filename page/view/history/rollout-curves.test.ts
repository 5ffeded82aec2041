import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { RolloutHistorySchema } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { rolloutCurvesOf, writtenIn } from './rollout-curves.ts';

it('counts what was written, over gaps', () => {
  const history = create(RolloutHistorySchema, { documents: [4, 0, 2], length: [10, Number.NaN, 20.5] });
  expect(writtenIn(rolloutCurvesOf(history))).toEqual({ documents: 6, tokens: 81 });
});
