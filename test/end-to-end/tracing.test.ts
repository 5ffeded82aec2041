import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { ReceivedSpan } from '../support/otlp-spans.ts';
import { runCommand } from './command.ts';
import { makeSmallCorpus, type SmallCorpus, writeRunFile } from './small-run.ts';

const teachers = ['orator', 'novelist', 'engineer', 'target'];
let corpus: SmallCorpus;

beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 1500 });
});
afterAll(() => corpus.remove());

/** Nothing of this machine's own settings. */
const untraced = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => name.startsWith('OTEL_'))
    .map((name) => [name, undefined]),
);

/** A small run from beginning to end; `name` is part of its name. */
async function runWith(name: string, environment: Readonly<Record<string, string>>) {
  const run = `end-to-end-${name}-${process.pid}`;
  const { path, output } = await writeRunFile(corpus, { run });
  const finished = await runCommand(['up', path, '--json'], { ...untraced, ...environment });
  return { run, output, ...finished };
}

const service = ({ resource }: ReceivedSpan) => resource['service.name'];

test('one trace goes from a document over its teachers to the step that trains on it', async () => {
  const receiver = await startOtlpReceiver();
  const { run, code, output } = await runWith('traced', { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
  await receiver.stop();
  expect(code).toBe(0);

  const documents = receiver.spans.filter(({ name }) => name === 'document');
  const steps = receiver.spans.filter(({ name }) => name === 'step');
  expect(documents.length).toBeGreaterThan(8);
  expect(steps).toHaveLength(Math.ceil(documents.length / 4));
  expect(new Set(documents.map(({ traceId }) => traceId)).size).toBe(documents.length);

  for (const document of documents) {
    const number = document.attributes['fusemesh.document'] as number;
    expect(document).toMatchObject({ parentSpanId: '', attributes: { 'fusemesh.run': run } });
    expect(['speeches', 'fiction', 'manuals']).toContain(document.attributes['fusemesh.domain']);
    expect(service(document)).toBe('fusemesh-feeder');

    const others = receiver.spans.filter(
      ({ traceId, spanId }) => traceId === document.traceId && spanId !== document.spanId,
    );
    for (const { parentSpanId } of others) expect(parentSpanId).toBe(document.spanId);
    const called = (name: string, by: string) =>
      others.filter((span) => span.name === name && service(span) === by);
    const [published] = called('publish', 'fusemesh-feeder');
    const scores = called('score', 'fusemesh-teacher');
    const publishes = called('publish', 'fusemesh-teacher');
    const [join] = called('join', 'fusemesh-trainer');
    const [fuse] = called('fuse', 'fusemesh-trainer');
    const [train] = called('train', 'fusemesh-trainer');
    expect(others).toHaveLength(1 + 2 * teachers.length + 3);

    expect(published.attributes['messaging.destination.name']).toBe(`fusemesh.${run}.documents`);
    for (const spans of [scores, publishes]) {
      expect(spans.map(({ attributes }) => attributes['fusemesh.teacher']).sort()).toEqual(
        [...teachers].sort(),
      );
    }
    for (const score of scores) {
      const { attributes, resource } = score;
      expect(resource['fusemesh.teacher']).toBe(attributes['fusemesh.teacher']);
      expect(attributes['fusemesh.tokens']).toBeGreaterThan(0);
      expect(attributes['fusemesh.batch_documents']).toBeGreaterThan(0);
      expect(score.end).toBeGreaterThan(score.start);
    }
    expect([...teachers, 'the feeder']).toContain(join.attributes['fusemesh.last_source']);

    const step = Math.floor(number / 4) + 1;
    const optimizer = steps.find(({ attributes }) => attributes['fusemesh.step'] === step)!;
    expect(train.attributes).toMatchObject({
      'fusemesh.step': step,
      'fusemesh.loss': optimizer.attributes['fusemesh.loss'],
    });
    expect(teachers).toContain(train.attributes['fusemesh.chosen_teacher']);
    expect(train.links).toEqual([[optimizer.traceId, optimizer.spanId]]);
    expect([train.start, train.end]).toEqual([optimizer.start, optimizer.end]);
    expect(optimizer).toMatchObject({ parentSpanId: '', failure: undefined });
    expect(optimizer.attributes['fusemesh.gradient_norm']).toBeGreaterThan(0);

    // Clocks of several processes are read to the millisecond.
    const order = [document, scores[0], join, fuse, train].map(({ end }) => Number(end / 1_000_000n));
    for (const [i, end] of order.entries()) if (i > 0) expect(end).toBeGreaterThan(order[i - 1] - 20);
  }
  expect(await readFile(join(output, 'logs', 'trainer.log'), 'utf8')).not.toContain('traces');
});

test('a run ends as always though nobody takes its traces: one line a process says so', async () => {
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const { code, stderr, output } = await runWith('refused', { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  expect(stderr).not.toMatch(/^fusemesh: /m);
  expect(code).toBe(0);
  for (const name of ['trainer', 'feed', ...teachers.map((teacher) => `teacher-${teacher}`)]) {
    const lines = (await readFile(join(output, 'logs', `${name}.log`), 'utf8')).trimEnd().split('\n');
    const complaints = lines.filter((line) => line.includes('traces'));
    expect(complaints).toEqual([expect.stringContaining(`${endpoint}/ takes no traces`)]);
    expect(JSON.parse(complaints[0])).toMatchObject({ level: 40 });
    expect(lines.every((line) => line.startsWith('{') || !/ECONNREFUSED|Error/.test(line))).toBe(true);
  }
});
