import type { Log } from '../log/log.ts';
import { traceDestination } from './trace-destination.ts';
import type { Attributes, Tracing } from './tracer.ts';

/** Which process makes the traces. */
export interface TracedProcess {
  /** What it is called in the traces, unless OTEL_SERVICE_NAME says otherwise. */
  readonly serviceName: 'fusemesh-feeder' | 'fusemesh-teacher' | 'fusemesh-trainer';
  /** Of everything that it does. */
  readonly attributes: Attributes;
}

/**
 * Begins to send traces by OTLP, where OpenTelemetry's standard variables ask for it (OTEL_EXPORTER_OTLP_ENDPOINT).
 * A variable that cannot be followed is named in the log, and no traces are sent: they are not worth a run.
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
