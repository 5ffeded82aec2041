import { expect, it } from 'vitest';
import type { SpanOptions, Tracer } from '../../process/tracing/tracer.ts';
import { DocumentTraces } from './document-traces.ts';
import { TimeSpent } from './time-spent.ts';

interface RecordedSpan extends SpanOptions {
  readonly name: string;
  end?: number | undefined;
  failure?: unknown;
}

/** A tracer whose spans stay here; their traceparents are their names. */
function recordingTracer() {
  const spans: RecordedSpan[] = [];
  const tracer: Tracer = {
    start(name, options = {}) {
      const span: RecordedSpan = { name, ...options };
      spans.push(span);
      return {
        traceparent: name,
        end: (time) => {
          span.end = time;
        },
        fail: (failure, time) => {
          span.failure = failure;
          span.end = time;
        },
      };
    },
  };
  return { spans, tracer };
}

const time = new TimeSpent();
time.add({ compute: 0.3, optimizer: 0.1, wait: 5 });
const step = {
  step: 4,
  stepTokens: 90,
  skipped: false,
  loss: 2.5,
  gradientNorm: 0.5,
  time: time.take(),
};
const run = { run: 'demo', sources: ['orator', 'novelist'] };
const batch = (documents: number[], chosenSources: number[]) => ({
  documents,
  chosenSources,
  passedOver: [],
  fusedAt: 1000,
  fusionSeconds: 0.25,
});

it('shows which source a document waited for last, when it was fused, and the step that trained on it', () => {
  const { spans, tracer } = recordingTracer();
  const traces = new DocumentTraces(tracer, run, 6);
  traces.arrived(6, 'the feeder', 'six');
  traces.arrived(7, 'orator', 'seven');
  traces.arrived(7, 'the feeder', 'seven');
  traces.arrived(6, 'orator', 'six');
  // Asked directly, without a message.
  traces.arrived(6, 'novelist');
  traces.arrived(6, 'orator', 'six');
  traces.trained(step, batch([6, 7], [-1, 1]));

  expect(spans.map(({ name, parent }) => [name, parent])).toEqual([
    ['step', undefined],
    ...['six', 'seven'].flatMap((document) => ['join', 'fuse', 'train'].map((name) => [name, document])),
  ]);
  const [optimizer, join, fuse, train, otherJoin, , otherTrain] = spans;
  expect(join.attributes).toMatchObject({
    'fusemesh.last_source': 'novelist',
    'messaging.operation.type': 'receive',
    'messaging.destination.name': 'fusemesh.demo.distributions.*',
  });
  expect(otherJoin.attributes).toMatchObject({ 'fusemesh.last_source': 'the feeder' });
  expect(join.end).toBeGreaterThan(join.start!);
  expect([fuse.start, fuse.end]).toEqual([750, 1000]);
  expect(optimizer.end! - optimizer.start!).toBeCloseTo(400, 6);
  expect([train.start, train.end, train.links]).toEqual([optimizer.start, optimizer.end, ['step']]);
  expect(train.attributes).toEqual({ 'fusemesh.step': 4, 'fusemesh.loss': 2.5 });
  expect(otherTrain.attributes).toEqual({
    'fusemesh.step': 4,
    'fusemesh.loss': 2.5,
    'fusemesh.chosen_teacher': 'novelist',
  });
});

it('calls a skipped step failed, for its documents too', () => {
  const { spans, tracer } = recordingTracer();
  const traces = new DocumentTraces(tracer, run, 0);
  traces.arrived(0, 'orator', 'zero');
  traces.trained({ ...step, skipped: true, loss: Number.NaN }, batch([0], [0]));
  for (const span of spans.filter(({ name }) => name === 'step' || name === 'train')) {
    expect(span.failure).toMatch(/NaN or infinite/);
    expect(span.attributes).not.toHaveProperty(['fusemesh.loss']);
  }
});

it('makes no spans for documents without a trace, nor for copies that come after the step', () => {
  const { spans, tracer } = recordingTracer();
  const traces = new DocumentTraces(tracer, run, 0);
  traces.arrived(0, 'orator');
  traces.trained(step, batch([0], [0]));
  traces.arrived(0, 'orator', 'zero');
  traces.trained(step, batch([1], [0]));
  traces.trained(step, batch([0], [0]));
  expect(spans.map(({ name }) => name)).toEqual(['step', 'step', 'step']);
});
