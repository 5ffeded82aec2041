import { describe, expect, it } from 'vitest';
import { traceDestination } from './trace-destination.ts';

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
