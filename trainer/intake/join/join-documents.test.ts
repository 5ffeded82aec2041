import { setTimeout as sleep } from 'node:timers/promises';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JoinedDocument, UsableDocument } from '../../../fusion/batch/joined-document.ts';
import { BackgroundTasks } from '../../../process/lifecycle/background-tasks.ts';
import { Notifier } from '../../../process/lifecycle/notifier.ts';
import { createLog } from '../../../process/log/log.ts';
import { natsOfTests } from '../../../test/support/nats-of-tests.ts';
import {
  smallFingerprint as fingerprint,
  smallDistribution,
} from '../../../test/support/small-distribution.ts';
import { distributionCheck } from '../../../wire/codec/check-distribution.ts';
import { distributionFromBytes } from '../../../wire/codec/distribution-bytes.ts';
import type { TextDistribution } from '../../../wire/codec/text-distribution.ts';
import { CorpusManifestSchema, DocumentSchema } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { type IncomingDocument, openRunStreams, type RunStreams } from '../../../wire/nats/run-streams.ts';
import { IntakeCounts } from '../read/intake-counts.ts';
import { LookAhead } from '../read/look-ahead.ts';
import { readDistributionsInto } from '../read/read-distributions.ts';
import { readDocumentsInto } from '../read/read-documents.ts';
import { StreamRelease } from '../read/stream-release.ts';
import { Attendance, type AttendanceOptions } from './attendance.ts';
import { joinDocuments, MissingTime } from './join-documents.ts';

const documents = 12;
const teachers = ['fiction', 'manuals'];
const log = createLog('test', { level: 'silent' });
const everybody = { atLeast: 2, within: Number.POSITIVE_INFINITY };
const options = { signal: new AbortController().signal };

const nats = natsOfTests();
let streams: RunStreams;
let run = 0;

afterEach(() => streams.remove());
beforeEach(async () => {
  streams = openRunStreams(nats.connection, `join-${process.pid}-${run++}`);
  await streams.ensure({ maxDocuments: documents, maxDistributions: documents });
});

type Content = MessageInitShape<typeof DocumentSchema>;

async function publishDocuments(
  contentOf: (number: number) => Content = (number) => ({ text: `text ${number}` }),
): Promise<void> {
  await streams.publishManifest(
    create(CorpusManifestSchema, {
      documents: BigInt(documents),
      sha256: new Uint8Array(32),
      contextLength: 64,
    }),
  );
  for (let number = 0; number < documents; number++) {
    await streams.publishDocument(
      create(DocumentSchema, { ...contentOf(number), number: BigInt(number) }),
      options,
    );
  }
}

/**
 * The cross-entropy marks the copy, so that a test can tell which one was taken. The server knows a second copy
 * by its id for two minutes; another id is what it looks like after them.
 */
async function publish(
  teacher: string,
  document: number,
  { crossEntropy = document, by = fingerprint, id = document } = {},
): Promise<void> {
  const message = smallDistribution({
    document,
    teacher,
    tokenizerFingerprint: by,
    tokenLogProbabilities: Float32Array.of(0, -crossEntropy),
    crossEntropy,
  });
  await streams.publishDistribution(teacher, id, message, options);
}

/** Joins as the trainer does, from a document on. */
function startJoin(
  from: number,
  { lookAhead = 3, rule = everybody, recorded = undefined as AttendanceOptions['recorded'] } = {},
) {
  const notifier = new Notifier();
  const tasks = new BackgroundTasks(new AbortController().signal, notifier);
  const texts = new LookAhead<IncomingDocument>(from, lookAhead, notifier);
  const sources = teachers.map((name) => ({
    name,
    distributions: new LookAhead<TextDistribution>(from, lookAhead, notifier),
  }));
  const waited: Record<string, number> = {};
  const without: Record<string, number> = {};
  const counts = { joined: 0, waited, without };
  const metrics = {
    joined: () => counts.joined++,
    joinedWithout: (source: string) => {
      without[source] = (without[source] ?? 0) + 1;
    },
    waitedFor: (who: string, seconds: number) => {
      waited[who] = (waited[who] ?? 0) + seconds;
    },
  };
  const intake = new IntakeCounts({ received: () => {}, deadLetter: () => {} });
  tasks.run((signal) => readDocumentsInto(texts, from, { streams, signal, log, intake }));
  for (const { name, distributions } of sources) {
    const check = distributionCheck({ teacher: name, fingerprint, tokens: 100, candidates: 100, documents });
    const reader = { teacher: name, check, distributions, intake };
    tasks.run((signal) => readDistributionsInto(reader, streams, { signal, log }));
  }
  const { signal } = tasks;
  const attendance = new Attendance(rule, sources, { log, recorded });
  const parts = { documents: texts, sources, attendance, notifier };
  const joined = joinDocuments({ from, until: documents, ...parts, signal, log, metrics });
  return { joined, documents: texts, sources, tasks, counts, intake };
}

async function take(joined: AsyncIterator<JoinedDocument>, count: number): Promise<UsableDocument[]> {
  const taken: UsableDocument[] = [];
  while (taken.length < count) {
    const { done, value } = await joined.next();
    if (done) break;
    if (value.unusable !== undefined) throw new Error(value.unusable);
    taken.push(value);
  }
  return taken;
}

const range = (from: number, until: number) => Array.from({ length: until - from }, (_, i) => from + i);

describe('the join', () => {
  it('says how the target wrote a document, and that a turn is unfinished', async () => {
    const rollout = { weightsStep: 3n, seed: 5, tokens: 1, logProbability: -1, teacher: 'manuals' };
    const turns = [{ content: 'text' }, { content: ' 0', learnt: true, unfinished: true }];
    await publishDocuments((number) => (number === 0 ? { turns, rollout } : { text: `text ${number}` }));
    const { joined, tasks } = startJoin(0);
    for (const teacher of teachers) for (const number of [0, 1]) await publish(teacher, number);
    const [written, ofCorpus] = await take(joined, 2);
    expect(written.rollout).toMatchObject(rollout);
    expect(written.content).toMatchObject({ turns });
    expect(ofCorpus.rollout).toBeUndefined();
    await tasks.stop();
  });

  it('gives every document once and in order, whatever order the teachers deliver in', async () => {
    await publishDocuments();
    const { joined, tasks, counts, intake } = startJoin(0);
    const taking = take(joined, documents + 1);
    for (const number of range(0, documents).reverse()) await publish('fiction', number);
    for (const number of [3, 1, 0, 2, 4, 7, 6, 5, 11, 10, 9, 8]) await publish('manuals', number);
    const taken = await taking;
    expect(taken.map(({ number }) => number)).toEqual(range(0, documents));
    for (const { number, content, distributions } of taken) {
      expect(content).toBe(`text ${number}`);
      expect(distributions.map((one) => [one?.teacher, one?.document])).toEqual([
        ['fiction', number],
        ['manuals', number],
      ]);
    }
    expect(counts.joined).toBe(documents);
    expect(Object.keys(counts.waited)).toEqual(expect.arrayContaining(teachers));
    expect(intake.of('fiction').bytesReceived).toBeGreaterThan(10 * documents);
    await tasks.stop();
  });

  it('reads no further ahead than it may', async () => {
    await publishDocuments();
    for (const number of range(0, documents)) await publish('fiction', number);
    const { joined, sources, tasks } = startJoin(0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(sources[0].distributions.size).toBe(3);
    for (const number of range(0, documents)) await publish('manuals', number);
    expect(await take(joined, documents)).toHaveLength(documents);
    await tasks.stop();
  });

  it('waits past a distribution that cannot be used, and takes the good one that comes later', async () => {
    await publishDocuments();
    const { joined, tasks } = startJoin(0);
    await publish('fiction', 0, { by: new Uint8Array(32) });
    await streams.publishDistribution('fiction', 100, Uint8Array.of(255, 1), options);
    await publish('manuals', 0);
    const first = take(joined, 1);
    let came = false;
    first.then(() => {
      came = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(came).toBe(false);
    await publish('fiction', 0, { crossEntropy: 5, id: 101 });
    expect((await first)[0].distributions[0]?.crossEntropy).toBe(5);
    await tasks.stop();
  });

  it('resumes in the middle, takes the same copies again, and releases what is covered', async () => {
    await publishDocuments();
    for (const number of [1, 0, 2, 4, 3]) await publish('fiction', number);
    await publish('fiction', 3, { crossEntropy: 99, id: 103 });
    for (const number of range(0, 6)) await publish('manuals', number);

    const before = startJoin(0);
    const taken = await take(before.joined, 5);
    await before.tasks.stop();

    // Killed after a checkpoint of two documents, before it released what that covers.
    const after = startJoin(2);
    const release = new StreamRelease(streams, after, 2, log);
    after.tasks.run((signal) => release.keepReleasing(signal));
    expect(await take(after.joined, 3)).toEqual(taken.slice(2));
    await release.cover(4);
    expect(await firstLeft('fiction')).toBe(4);
    expect(await firstLeft('manuals')).toBe(4);
    await after.tasks.stop();
  });

  it('continues without a teacher that is not there in time, drops what it sends late, and waits for it again', async () => {
    await publishDocuments();
    const { joined, tasks, counts } = startJoin(0, { rule: { atLeast: 1, within: 300 } });
    for (const number of range(0, 8)) await publish('fiction', number);
    const taken = await take(joined, 5);
    for (const { number, distributions } of taken) {
      expect(distributions.map((one) => one?.document)).toEqual([number, undefined]);
    }
    expect(counts.without).toEqual({ manuals: 5 });
    expect(counts.waited.manuals).toBeGreaterThan(0);

    for (const number of range(2, 8)) await publish('manuals', number, { crossEntropy: 7 });
    await sleep(200);
    const rest = await take(joined, 3);
    expect(rest.map(({ distributions }) => distributions[1]?.document)).toEqual([5, 6, 7]);
    await tasks.stop();
  });

  it('waits on while fewer have come than it may go on with', async () => {
    await publishDocuments();
    const { joined, tasks } = startJoin(0, { rule: { atLeast: 1, within: 50 } });
    const first = take(joined, 1);
    expect(await Promise.race([first, sleep(400, 'waits')])).toBe('waits');
    await publish('manuals', 0);
    expect((await first)[0].distributions.map((one) => one?.teacher)).toEqual([undefined, 'manuals']);
    await tasks.stop();
  });

  it('joins a document with the sources that are recorded, however late they come and whoever else is there', async () => {
    await publishDocuments();
    const recorded = (number: number) => [['fiction'], ['manuals'], teachers][number];
    const { joined, tasks } = startJoin(0, { rule: { atLeast: 1, within: 50 }, recorded });
    for (const number of range(0, 4)) await publish('fiction', number);
    const [first] = await take(joined, 1);
    expect(first.distributions.map((one) => one?.teacher)).toEqual(['fiction', undefined]);
    const second = take(joined, 3);
    expect(await Promise.race([second, sleep(400, 'waits')])).toBe('waits');
    for (const number of range(0, 3)) await publish('manuals', number);
    expect((await second).map(({ distributions }) => distributions.map((one) => one?.teacher))).toEqual([
      [undefined, 'manuals'],
      teachers,
      ['fiction', undefined],
    ]);
    await tasks.stop();
  });

  it('continues when the streams were lost and a feeder fills them again, with little room', async () => {
    await streams.ensure({ maxDocuments: 3, maxDistributions: documents });
    const { joined, documents: texts, sources, tasks } = startJoin(8);
    const release = new StreamRelease(streams, { documents: texts, sources }, 8, log);
    tasks.run((signal) => release.keepReleasing(signal));
    tasks.run(() => publishDocuments());
    for (const number of range(0, documents)) {
      for (const teacher of teachers) await publish(teacher, number);
    }
    expect((await take(joined, 3)).map(({ number }) => number)).toEqual([8, 9, 10]);
    await release.cover(11);
    expect((await take(joined, 2)).map(({ number }) => number)).toEqual([11]);
    await tasks.stop();
    tasks.throwFailure();
  });
});

/** The document of the first distribution of a teacher that the stream still has. */
async function firstLeft(teacher: string): Promise<number | undefined> {
  for await (const { bytes } of streams.readDistributions(teacher, options)) {
    return distributionFromBytes(bytes).document;
  }
  return undefined;
}

it('counts for each the time that it was missing for, alone or with others', () => {
  vi.useFakeTimers();
  const waited: Record<string, number> = {};
  const time = new MissingTime((who, seconds) => {
    waited[who] = (waited[who] ?? 0) + seconds;
  });
  const pass = (missing: string[], milliseconds: number) => {
    time.now(missing);
    vi.advanceTimersByTime(milliseconds);
  };
  pass([], 10_000);
  pass(['feeder', 'orator'], 1_000);
  pass(['orator'], 500);
  pass([], 10_000);
  pass(['novelist'], 250);
  pass([], 10_000);
  vi.useRealTimers();
  expect(waited).toEqual({ feeder: 1, orator: 1.5, novelist: 0.25 });
});
