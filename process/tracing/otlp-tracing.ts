import { setTimeout as sleep } from 'node:timers/promises';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Log } from '../log/log.ts';
import { OutageLog } from './outage-log.ts';
import { spanTracer } from './span-tracer.ts';
import type { Attributes, Tracing } from './tracer.ts';

const stopWithin = 2_000;

/**
 * The SDK as its environment variables want it. Only to be imported where traces are sent: it brings the SDK.
 *
 * @param attributes of the process; those of OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME win over them
 * @param endpoint for messages
 */
export function otlpTracing(attributes: Attributes, endpoint: string, log: Log): Tracing {
  const { provider, exporter } = saying(log, () => {
    const detected = detectResources({ detectors: [serviceInstanceIdDetector, envDetector] });
    const resource = defaultResource().merge(resourceFromAttributes(attributes)).merge(detected);
    const exporter = new OutageLog(new OTLPTraceExporter(), endpoint, log);
    const spanProcessors = [new BatchSpanProcessor(exporter)];
    return { provider: new BasicTracerProvider({ resource, spanProcessors }), exporter };
  });
  return {
    tracer: spanTracer(provider.getTracer('fusemesh')),
    async stop() {
      const waiting = new AbortController();
      const sent = provider.shutdown().then(
        () => true,
        // Why is in the log already.
        () => true,
      );
      const late = sleep(stopWithin, false, { signal: waiting.signal }).catch(() => false);
      const stopped = await Promise.race([sent, late]);
      waiting.abort();
      if (!stopped) exporter.giveUp(`it did not answer within ${stopWithin / 1000} s`);
      return stopped;
    },
  };
}

/**
 * What the SDK has to say about its environment variables goes to the log; later, it would repeat itself with
 * every batch.
 */
function saying<T>(log: Log, make: () => T): T {
  const warn = (message: string) => log.warn(`OpenTelemetry: ${message}`);
  const silent = () => {};
  diag.setLogger(
    { error: warn, warn, info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  try {
    return make();
  } finally {
    diag.disable();
  }
}
