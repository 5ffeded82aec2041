import { expect, it } from 'vitest';
import { Notifier } from '../../process/lifecycle/notifier.ts';
import { openSecurity } from '../../process/security/service-security.ts';
import type { TextDistribution } from '../../wire/codec/text-distribution.ts';
import { Intake } from '../intake/read/intake.ts';
import { LookAhead } from '../intake/read/look-ahead.ts';
import { Source } from '../intake/sources/source.ts';
import { RunStatus } from './run-status.ts';
import { countPartlyCome, nothingKnown, sourceViews } from './source-views.ts';
import { statusMessage } from './status-message.ts';
import { TrainingControl } from './training-control.ts';

const notifier = new Notifier();
const sources = ['orator', 'novelist'].map((name) => {
  const source = new Source(name, '', openSecurity);
  source.named.attached = true;
  return source;
});
const intake = new Intake({ received: () => {}, deadLetter: () => {} });

it('shows every source before anything has come, and tells then what came, lags and is missing', () => {
  const status = new RunStatus('demo', notifier, new TrainingControl(notifier));
  const known = {
    documentsChosen: { orator: 3 },
    documentsWithout: { novelist: 5 },
    isLeftOut: (name: string) => name === 'novelist',
  };
  status.sources = () => sourceViews(sources, [], { ...nothingKnown, intake, streams: status.streams });
  expect(statusMessage(status)).toMatchObject({
    streams: [],
    sources: [
      { teacher: 'orator', attached: true, replicas: 1, queueDepth: 0, lagDocuments: 0n },
      { teacher: 'novelist', documentsMissing: 0, deadLetters: 0n },
    ],
  });

  const joined = sources.map(({ name }) => ({
    name,
    distributions: new LookAhead<TextDistribution>(0, 8, notifier),
  }));
  for (const number of [0, 1, 4]) joined[0].distributions.offer(number, number + 1, {} as TextDistribution);
  joined[1].distributions.offer(0, 1, {} as TextDistribution);
  intake.received('orator', 700);
  intake.received('orator', 300);
  intake.deadLetter('novelist');
  status.streams = {
    streams: [{ name: 'documents', messages: 9, bytes: 900, mostMessages: 1025 }],
    lags: [{ teacher: 'novelist', documents: 7, redelivered: 0, doneUpTo: 0 }],
  };
  status.sources = () => sourceViews(sources, joined, { ...known, intake, streams: status.streams });
  expect(statusMessage(status)).toMatchObject({
    streams: [{ name: 'documents', messages: 9n, bytes: 900n, mostMessages: 1025n }],
    sources: [
      { teacher: 'orator', queueDepth: 3, documentsMissing: 0, documentsChosen: 3n, bytesReceived: 1000n },
      {
        ...{ teacher: 'novelist', queueDepth: 1, documentsMissing: 2, lagDocuments: 7n, deadLetters: 1n },
        ...{ documentsWithout: 5n, leftOut: true },
      },
    ],
  });
  expect(countPartlyCome(joined)).toBe(2);
});
