import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OtlpReceiver, startOtlpReceiver } from '../../test/support/otlp-receiver.ts';
import type { Log } from '../log/log.ts';
import { messagingAttributes } from './messaging-attributes.ts';
import { startTracing, traceDestination } from './start-tracing.ts';

const feeder = { serviceName: 'fusemesh-feeder', attributes: { 'fusemesh.run': 'first' } } as const;
const environment = { ...process.env };
let receiver: OtlpReceiver;
let lines: string[];
const log = {
  warn: (line: string) => lines.push(line),
  info: (line: string) => lines.push(line),
} as unknown as Log;

beforeEach(async () => {
  lines = [];
  receiver = await startOtlpReceiver();
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url;
});
afterEach(async () => {
  process.env = { ...environment };
  await receiver.stop();
});

describe('startTracing', () => {
  it('makes no tracer where no traces are asked for', async () => {
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    expect(await startTracing(feeder, log)).toBeUndefined();
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url;
    process.env['OTEL_EXPORTER_OTLP_PROTOCOL'] = 'grpc';
    expect(await startTracing(feeder, log)).toBeUndefined();
    expect(lines).toEqual([expect.stringContaining('only http/protobuf is supported')]);
  });

  it('sends spans with parents, links, times, attributes and failures', async () => {
    const { tracer, stop } = (await startTracing(feeder, log))!;
    const start = performance.now() - 500;
    const whole = tracer.start('document', {
      attributes: { 'fusemesh.document': 7, share: 0.25, last: true },
      start,
    });
    const other = tracer.start('step');
    const part = tracer.start('publish', {
      parent: whole.traceparent,
      links: [other.traceparent, 'nonsense'],
      kind: 'producer',
      attributes: messagingAttributes('send', 'fusemesh.first.documents'),
    });
    part.end();
    whole.end(start + 250);
    other.fail(new Error('no room'));
    tracer.start('orphan', { parent: '00-nonsense-01' }).end();
    expect(await stop()).toBe(true);

    const [publish, document, step, orphan] = receiver.spans;
    expect(whole.traceparent).toBe(`00-${document.traceId}-${document.spanId}-01`);
    expect(document).toMatchObject({
      name: 'document',
      kind: 1,
      parentSpanId: '',
      attributes: { 'fusemesh.document': 7, share: 0.25, last: true },
      failure: undefined,
    });
    expect(document.resource).toMatchObject({ 'service.name': 'fusemesh-feeder', 'fusemesh.run': 'first' });
    expect(Number(document.end - document.start) / 1e6).toBeCloseTo(250, 2);
    expect(Math.abs(Number(document.start / 1_000_000n) - (Date.now() - 500))).toBeLessThan(5_000);
    expect(publish).toMatchObject({
      name: 'publish',
      kind: 4,
      traceId: document.traceId,
      parentSpanId: document.spanId,
      links: [[step.traceId, step.spanId]],
      attributes: {
        'messaging.system': 'nats',
        'messaging.destination.name': 'fusemesh.first.documents',
        'messaging.operation.name': 'publish',
        'messaging.operation.type': 'send',
      },
    });
    expect(step).toMatchObject({ name: 'step', parentSpanId: '', failure: 'no room' });
    expect(step.traceId).not.toBe(document.traceId);
    expect(orphan.parentSpanId).toBe('');
    expect(lines).toEqual([]);
  });

  it('follows the SDK’s own variables', async () => {
    Object.assign(process.env, {
      OTEL_SERVICE_NAME: 'mine',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,fusemesh.run=second',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=secret',
      OTEL_BSP_SCHEDULE_DELAY: '10',
    });
    const { tracer, stop } = (await startTracing(feeder, log))!;
    tracer.start('document').end();
    await expect.poll(() => receiver.spans.length).toBe(1);
    expect(receiver.spans[0].resource).toMatchObject({
      'service.name': 'mine',
      'deployment.environment.name': 'test',
      'fusemesh.run': 'second',
    });
    expect(receiver.requests[0].headers['x-key']).toBe('secret');
    await stop();
  });

  it('leaves out whole traces where it is to sample, whoever makes their spans', async () => {
    Object.assign(process.env, {
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
    });
    const { tracer, stop } = (await startTracing(feeder, log))!;
    const whole = tracer.start('document');
    expect(whole.traceparent).toMatch(/-00$/);
    tracer.start('score', { parent: whole.traceparent }).end();
    whole.end();
    tracer.start('score', { parent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }).end();
    await stop();
    expect(receiver.spans.map(({ traceId }) => traceId)).toEqual(['a'.repeat(32)]);
  });

  it('says what is wrong with a variable of the SDK', async () => {
    process.env['OTEL_TRACES_SAMPLER'] = 'sometimes';
    await (await startTracing(feeder, log))!.stop();
    expect(lines).toEqual([
      expect.stringMatching(/^OpenTelemetry: OTEL_TRACES_SAMPLER value "sometimes" invalid/),
    ]);
  });
});

const endpoint = 'http://collector:4318';

describe('traceDestination', () => {
  it('is nowhere as long as nobody asks for traces', () => {
    expect(traceDestination({})).toBeUndefined();
    expect(traceDestination({ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' })).toBeUndefined();
    expect(
      traceDestination({ OTEL_SERVICE_NAME: 'mine', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }),
    ).toBeUndefined();
    expect(
      traceDestination({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SDK_DISABLED: 'TRUE' }),
    ).toBeUndefined();
  });

  it('prefers the variable for traces, and keeps secrets of an address out of messages', () => {
    const own = 'https://name:secret@traces.example/in?key=secret';
    expect(traceDestination({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })).toEqual({ endpoint: `${endpoint}/` });
    expect(
      traceDestination({ OTEL_EXPORTER_OTLP_ENDPOINT: 'none', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own }),
    ).toEqual({ endpoint: 'https://traces.example/in' });
  });

  it.each(['collector:4318', 'collector', 'grpc://collector:4317'])('refuses %s as an address', (wrong) => {
    expect(traceDestination({ OTEL_EXPORTER_OTLP_ENDPOINT: wrong })?.problem).toBe(
      `No traces are sent: OTEL_EXPORTER_OTLP_ENDPOINT is "${wrong}", not a URL like http://127.0.0.1:4318.`,
    );
  });

  it('says which protocol is supported', () => {
    const asked = (protocols: NodeJS.ProcessEnv) =>
      traceDestination({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...protocols });
    expect(asked({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })?.problem).toMatch(
      /^No traces are sent: OTEL_EXPORTER_OTLP_PROTOCOL is grpc, and only http\/protobuf is supported/,
    );
    expect(asked({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' })?.problem).toBeUndefined();
    expect(
      asked({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf' })
        ?.problem,
    ).toBeUndefined();
  });
});
