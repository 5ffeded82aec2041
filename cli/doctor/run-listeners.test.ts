import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { exampleConfig } from '../../test/support/example-config.ts';
import { freePort } from '../../test/support/free-port.ts';
import { judgePorts, type Listener, type LookedAt, listenersOf, tryPort } from './run-listeners.ts';

const listener: LookedAt = {
  key: 'teachers.0.address',
  process: 'orator',
  kind: 'gRPC',
  host: '10.0.0.7',
  port: 50051,
  state: 'free',
  isServed: false,
};

it('lists every port of a run with its key', () => {
  const config = exampleConfig({ teachers: [{ name: 'orator', address: '[::1]:50051', metricsPort: 9465 }] });
  expect(listenersOf(config)).toEqual([
    { key: 'teachers.0.address', process: 'orator', kind: 'gRPC', host: '::1', port: 50051 },
    { key: 'teachers.0.metricsPort', process: 'orator', kind: 'metrics', host: '::1', port: 9465 },
    { key: 'trainer.address', process: 'trainer', kind: 'gRPC', host: '127.0.0.1', port: 0 },
    { key: 'trainer.metricsPort', process: 'trainer', kind: 'metrics', host: '127.0.0.1', port: 0 },
  ] satisfies Listener[]);
});

it('tells free ports from taken ones, this machine from others, and unknown names', async () => {
  const occupant = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void occupant.close());
  await once(occupant, 'listening');
  const { port } = occupant.address() as AddressInfo;
  expect(await tryPort({ host: '127.0.0.1', port })).toBe('taken');
  expect(await tryPort({ host: '127.0.0.1', port: await freePort() })).toBe('free');
  expect(await tryPort({ host: 'localhost', port: 0 })).toBe('free');
  // Of a network that is for documents (RFC 5737).
  expect(await tryPort({ host: '192.0.2.1', port: 50051 })).toBe('elsewhere');
  expect(await tryPort({ host: '127.0.0.1', port: 99_999 })).toBe('impossible');
  expect(await tryPort({ host: 'no-such-host.invalid', port: 50051 })).toBe('unknown');
});

it('has one line for all ports that are as they should be', () => {
  expect(judgePorts('demo', [{ ...listener, port: 0 }])).toEqual([
    { name: 'ports', verdict: 'ok', text: 'any free ones' },
  ]);
  const metrics: LookedAt = { ...listener, kind: 'metrics', port: 9465, state: 'taken', isServed: true };
  expect(judgePorts('demo', [listener, metrics, { ...listener, port: 0 }])).toEqual([
    {
      name: 'ports',
      verdict: 'ok',
      text: '10.0.0.7:50051 free; 10.0.0.7:9465 served by run demo; others are any free ones',
    },
  ]);
});

it.each<[LookedAt['state'], string, RegExp]>([
  ['taken', 'problem', /in use by another program: end that, or set teachers\.0\.address/],
  ['forbidden', 'problem', /set teachers\.0\.address to a port from 1024 on/],
  ['impossible', 'problem', /is no place to listen at on this machine: set teachers\.0\.address/],
  ['unknown', 'problem', /no machine is known here by the name in 10\.0\.0\.7:50051: correct it/],
  ['elsewhere', 'note', /start `fusemesh teacher RUN\.yaml orator` there/],
])('says what to do about a port that is %s', (state, verdict, text) => {
  const found = judgePorts('demo', [{ ...listener, state }]);
  expect(found).toEqual([{ name: 'teachers.0.address', verdict, text: expect.stringMatching(text) }]);
});

it('finds two processes of the run at one port', () => {
  const [, clash] = judgePorts('demo', [
    listener,
    { ...listener, key: 'trainer.address', process: 'trainer' },
  ]);
  expect(clash).toMatchObject({
    name: 'trainer.address',
    verdict: 'problem',
    text: '10.0.0.7:50051 is that of teachers.0.address too: give each a port of its own',
  });
});
