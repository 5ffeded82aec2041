import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { natsOfTests } from '../../test/support/nats-of-tests.ts';
import { CorpusManifestSchema, DocumentSchema } from '../generated/fusemesh/v1/corpus_pb.ts';
import { listRuns, runOnNats } from './list-runs.ts';
import { openRunStreams, type RunStreams } from './run-streams.ts';

const signal = new AbortController().signal;
const run = `list-${process.pid}`;
/** Alike, and of somebody else. */
const neighbours = [`${run}-documents`, `${run}-a`];
const nats = natsOfTests();
let streams: RunStreams;

beforeAll(async () => {
  streams = openRunStreams(nats.connection, run);
  for (const one of [run, ...neighbours]) {
    await openRunStreams(nats.connection, one).ensure({ maxDocuments: 8, maxDistributions: 8 });
  }
});
afterAll(async () => {
  for (const one of [run, ...neighbours]) await openRunStreams(nats.connection, one).remove();
});

const ours = async () => (await listRuns(nats.connection)).filter((one) => one.run.startsWith(run));

it('tells of a run that has just begun, and of one that is not there', async () => {
  expect((await ours()).map((one) => one.run)).toEqual([run, `${run}-a`, `${run}-documents`]);
  const [empty] = await ours();
  expect(empty).toMatchObject({
    documentsPublished: 0,
    documentsTotal: undefined,
    documentsHeld: 0,
    distributionsHeld: {},
    deadLetters: 0,
    bytes: 0,
  });
  expect(empty.lastActivity).toEqual(empty.created);
  expect(Date.now() - empty.created.getTime()).toBeLessThan(60_000);
  expect(await runOnNats(nats.connection, `${run}-never`)).toBeUndefined();
});

it('counts documents, distributions by teacher, dead letters and bytes', async () => {
  await streams.publishManifest(
    create(CorpusManifestSchema, { documents: 9n, sha256: new Uint8Array(32), contextLength: 64 }),
  );
  for (let number = 0; number < 5; number++) {
    await streams.publishDocument(create(DocumentSchema, { number: BigInt(number), text: 'Text.' }), {
      signal,
    });
  }
  await streams.releaseDocuments(2);
  for (const document of [0, 1, 2]) {
    await streams.publishDistribution('orator', document, new Uint8Array(500), { signal });
  }
  await streams.publishDistribution('documents', 0, new Uint8Array(500), { signal });
  const letter = {
    stream: 'distributions' as const,
    source: 'orator',
    position: 1,
    bytes: Uint8Array.of(1),
    reason: 'none',
  };
  await streams.storeDeadLetter(letter, { signal });

  const told = await runOnNats(nats.connection, run);
  expect(told).toMatchObject({
    documentsPublished: 5,
    documentsTotal: 9,
    documentsHeld: 3,
    deadLetters: 1,
    distributionsHeld: { documents: 1, orator: 3 },
  });
  expect(told!.bytes).toBeGreaterThan(2_000);
  expect(told!.lastActivity.getTime()).toBeGreaterThan(told!.created.getTime());
});

it('leaves runs of names alike when one is removed', async () => {
  await streams.remove();
  expect((await ours()).map((one) => one.run)).toEqual(neighbours.toReversed());
});
