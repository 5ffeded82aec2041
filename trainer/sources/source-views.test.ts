import { expect, it } from 'vitest';
import type { TextDistribution } from '../../mesh/codec/text-distribution.ts';
import { Change } from '../change.ts';
import { RunStatus } from '../run-status.ts';
import { statusMessage } from '../status-message.ts';
import { Intake } from '../stream/intake.ts';
import { LookAhead } from '../stream/look-ahead.ts';
import { TrainingControl } from '../training-control.ts';
import { nothingSaid, type Source } from './source.ts';
import { countPartlyCome, sourceViews } from './source-views.ts';

const change = new Change();
const sources = ['orator', 'novelist'].map(
  (name): Source => ({
    name,
    address: '',
    attached: true,
    said: nothingSaid,
    tokenizer: undefined,
    vocabularySize: 0,
  }),
);
const intake = new Intake({ received: () => {}, deadLetter: () => {} });

it('shows every source before anything has come, and tells then what came, lags and is missing', () => {
  const status = new RunStatus('demo', change, new TrainingControl(change));
  const documentsChosen = { orator: 3 };
  status.sources = () => sourceViews(sources, [], { documentsChosen: {}, intake, streams: status.streams });
  expect(statusMessage(status)).toMatchObject({
    streams: [],
    sources: [
      { teacher: 'orator', attached: true, queueDepth: 0, lagDocuments: 0n },
      { teacher: 'novelist', documentsMissing: 0, deadLetters: 0n },
    ],
  });

  const joined = sources.map(({ name }) => ({
    name,
    distributions: new LookAhead<TextDistribution>(0, 8, change),
  }));
  for (const number of [0, 1, 4]) joined[0].distributions.offer(number, number + 1, {} as TextDistribution);
  joined[1].distributions.offer(0, 1, {} as TextDistribution);
  intake.received('orator', 700);
  intake.received('orator', 300);
  intake.deadLetter('novelist');
  status.streams = {
    streams: [{ name: 'documents', messages: 9, bytes: 900, mostMessages: 1025 }],
    lags: [{ teacher: 'novelist', documents: 7, redelivered: 0 }],
  };
  status.sources = () => sourceViews(sources, joined, { documentsChosen, intake, streams: status.streams });
  expect(statusMessage(status)).toMatchObject({
    streams: [{ name: 'documents', messages: 9n, bytes: 900n, mostMessages: 1025n }],
    sources: [
      { teacher: 'orator', queueDepth: 3, documentsMissing: 0, documentsChosen: 3n, bytesReceived: 1000n },
      { teacher: 'novelist', queueDepth: 1, documentsMissing: 2, lagDocuments: 7n, deadLetters: 1n },
    ],
  });
  expect(countPartlyCome(joined)).toBe(2);
});
