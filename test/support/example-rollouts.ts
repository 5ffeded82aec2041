import { create } from '@bufbuild/protobuf';
import {
  type RolloutHistory,
  RolloutHistorySchema,
  type RolloutStatus,
  RolloutStatusSchema,
} from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { createRandom } from './random.ts';

/** Curves of what the target of an on-policy run wrote; it began after ten steps. */
export function exampleRolloutHistory(stepsDone: number): RolloutHistory {
  const random = createRandom(11);
  const columnOf = (value: (step: number) => number) =>
    Array.from({ length: stepsDone }, (_, i) => (i < 10 ? Number.NaN : Math.max(0, value(i + 1))));
  const around = (size: number) => size * (random() - 0.5);
  return create(RolloutHistorySchema, {
    documents: columnOf(() => 4).map((documents) => documents || 0),
    length: columnOf((step) => 30 + step / 40 + around(12)),
    endedByLengthShare: columnOf(() => (random() < 0.5 ? 0 : 0.25)),
    staleness: columnOf(() => 0.75 + around(0.5)),
    divergence: columnOf((step) => 0.4 + 1.1 * Math.exp(-step / 90) + around(0.15)),
    repeatedShare: columnOf(() => 0.03 + around(0.04)),
    tokensPerSecond: columnOf(() => 800 + around(90)).map((rate) => rate || 0),
  });
}

/** What the target of an on-policy run wrote until a step, with texts that would like to be markup. */
export function exampleRollouts(stepsDone: number): RolloutStatus {
  const documents = BigInt(stepsDone * 4);
  return create(RolloutStatusSchema, {
    documents,
    tokens: documents * 38n,
    endedByLength: documents / 8n,
    dropped: 3n,
    last: {
      documents: 4,
      tokens: 151n,
      endedByLength: 1,
      staleness: 0.75,
      mostStaleness: 1n,
      divergence: 0.4123,
      repeatedShare: 0.031,
      tokensPerSecond: 812.4,
    },
    latest: [
      {
        document: documents - 1n,
        weightsStep: BigInt(stepsDone - 1),
        prompt: 'What does a president promise, and to whom?',
        text:
          'He promises to preserve, protect and defend the Constitution of the United States.\n\n' +
          'The oath is given to the people, who have called him to the office, and before the Congress.',
        judge: 'orator',
        logProbability: -0.912,
        judgeLogProbability: -1.32,
      },
      {
        document: documents - 2n,
        weightsStep: BigInt(stepsDone - 1),
        prompt: '<b>Tell</b> of the whale.',
        text: `<img src=x onerror="document.title='broken'"></div></ol><script>document.title='broken'</script>\u202eelahw eht`,
        unfinished: true,
        judge: 'novelist',
        logProbability: -2.4,
        judgeLogProbability: -2.1,
      },
      {
        document: documents - 3n,
        weightsStep: BigInt(stepsDone - 2),
        prompt: '',
        text: 'the whale the whale '.repeat(60).trimEnd() + 'x'.repeat(400),
        unfinished: true,
      },
      {
        document: documents - 4n,
        weightsStep: BigInt(stepsDone - 2),
        prompt: 'اكتب جملة قصيرة.',
        text: '',
        judge: 'engineer',
        logProbability: -0.02,
        judgeLogProbability: -6.5,
      },
    ],
  });
}
