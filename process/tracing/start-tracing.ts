import type { Log } from '../log/log.ts';
import type { Attributes, Tracing } from './tracer.ts';

/** Which process makes the traces. */
export interface TracedProcess {
  /** What it is called in the traces, unless OTEL_SERVICE_NAME says otherwise. */
  readonly serviceName: 'fusemesh-feeder' | 'fusemesh-rollout' | 'fusemesh-teacher' | 'fusemesh-trainer';
  /** Of everything that it does. */
  readonly attributes: Attributes;
}

/**
 * Begins to send traces by OTLP, where OpenTelemetry's standard variables ask for it (OTEL_EXPORTER_OTLP_ENDPOINT).
 * A variable with a value that is not supported is named in the log, and no traces are sent: no run fails over them.
 *
 * @returns undefined where no traces are sent; then nothing of the SDK is loaded
 */
export async function startTracing(
  { serviceName, attributes }: TracedProcess,
  log: Log,
): Promise<Tracing | undefined> {
  const destination = traceDestination(process.env);
  if (destination?.problem !== undefined) log.warn(destination.problem);
  if (destination?.endpoint === undefined) return undefined;
  const { otlpTracing } = await import('./otlp-tracing.ts');
  return otlpTracing({ 'service.name': serviceName, ...attributes }, destination.endpoint, log);
}

/** Where traces go, or why they cannot. */
type TraceDestination =
  | { readonly endpoint: string; readonly problem?: undefined }
  | { readonly endpoint?: undefined; readonly problem: string };

/**
 * Where OpenTelemetry's standard variables want traces sent. The SDK reads its other variables by itself.
 *
 * @returns undefined where nobody asks for traces
 */
export function traceDestination(environment: NodeJS.ProcessEnv): TraceDestination | undefined {
  const read = (name: string) => environment[name]?.trim() || undefined;
  if (read('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined;
  const name = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'].find(read);
  if (name === undefined) return undefined;

  const endpoint = read(name)!;
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    return { problem: `No traces are sent: ${name} is "${endpoint}", not a URL like http://127.0.0.1:4318.` };
  }
  const protocolName = ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'].find(read);
  const protocol = protocolName && read(protocolName);
  if (protocol !== undefined && protocol !== 'http/protobuf') {
    return {
      problem: `No traces are sent: ${protocolName} is ${protocol}, and only http/protobuf is supported (collectors take it on port 4318).`,
    };
  }
  const { origin, pathname } = new URL(endpoint);
  return { endpoint: origin + pathname };
}
