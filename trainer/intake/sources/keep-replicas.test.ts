import { expect, it } from 'vitest';
import { openSecurity } from '../../../process/security/service-security.ts';
import type { FoundTeacher } from '../../../wire/discovery/teacher-listing.ts';
import { replicasOf } from './keep-replicas.ts';
import { replicaAt, Source } from './source.ts';

const teacher = (instance: string, changes: Partial<FoundTeacher> = {}): FoundTeacher => ({
  version: '0.1.0',
  teacher: 'orator',
  run: 'demo',
  instance,
  family: 'llama',
  parameters: 1,
  vocabularySize: 2,
  contextLength: 3,
  tokenizerFingerprint: 'ab',
  modelFingerprint: 'cd',
  address: `127.0.0.1:${instance}`,
  metricsAddress: '127.0.0.1:1',
  work: [],
  ...changes,
});
const instances = (source: Source, found: readonly FoundTeacher[]) =>
  replicasOf(source, found, 'demo').map(({ instance }) => instance);

const found = [
  teacher('1'),
  teacher('2'),
  teacher('3', { run: 'other' }),
  teacher('4', { teacher: 'novelist' }),
  teacher('5', { modelFingerprint: 'ef' }),
  teacher('6', { run: 'shared', teacher: 'sage' }),
];

it('takes those that were started for the run while nothing is known of the source', () => {
  expect(instances(new Source('orator', '127.0.0.1:1', openSecurity), found)).toEqual(['2', '5']);
});

it('takes those of the same model when it is known', () => {
  const source = new Source('orator', '127.0.0.1:1', openSecurity);
  source.identity = { teacher: 'orator', run: 'demo', modelFingerprint: 'cd' };
  expect(instances(source, found)).toEqual(['2']);
  // The process that the file names was found under another address.
  source.named.instance = '2';
  expect(instances(source, found)).toEqual([]);
});

it('takes the replicas of a teacher that was started for another run and is called otherwise there', () => {
  const source = new Source('orator', 'elsewhere:1', openSecurity);
  source.identity = { teacher: 'sage', run: 'shared', modelFingerprint: 'cd' };
  expect(instances(source, found)).toEqual(['6']);
});

it('adds up what all processes say, each once', () => {
  const source = new Source('orator', '127.0.0.1:1', openSecurity);
  expect(source).toMatchObject({ attached: false, askable: [source.named] });
  const others = ['7', '8'].map((instance) => replicaAt(`127.0.0.1:${instance}`, instance));
  for (const [i, replica] of others.entries()) {
    source.found.add(replica);
    replica.attached = true;
    replica.said = {
      documentsInHand: i + 1,
      documentsScored: 10n,
      tokensPerSecond: 5,
      waitingForRoom: i === 1,
    };
  }
  expect(source).toMatchObject({ attached: true, askable: others });
  expect(source.said).toEqual({
    documentsInHand: 3,
    documentsScored: 20n,
    tokensPerSecond: 10,
    waitingForRoom: true,
  });
  source.named.instance = '7';
  source.named.attached = true;
  expect(source.working).toEqual([source.named, others[1]]);
});
