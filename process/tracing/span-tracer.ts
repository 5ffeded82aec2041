import {
  type Tracer as ApiTracer,
  type Context,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import type { Tracer } from './tracer.ts';

const kinds = { producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER };

/** Our tracer over OpenTelemetry's: parents and links are traceparents, times those of performance.now(). */
export function spanTracer(tracer: ApiTracer): Tracer {
  const atWall = wallClock();
  return {
    start(name, { parent, links = [], kind, attributes = {}, start = performance.now() } = {}) {
      const span = tracer.startSpan(
        name,
        {
          kind: kind === undefined ? SpanKind.INTERNAL : kinds[kind],
          links: links.map(parseTraceParent).flatMap((context) => (context ? [{ context }] : [])),
          attributes,
          startTime: atWall(start),
        },
        contextUnder(parent),
      );
      return {
        traceparent: traceparentOf(span.spanContext()),
        end: (time = performance.now()) => span.end(atWall(time)),
        fail(error, time = performance.now()) {
          const message = error instanceof Error ? error.message : String(error);
          span.setStatus({ code: SpanStatusCode.ERROR, message });
          span.end(atWall(time));
        },
      };
    },
  };
}

function contextUnder(parent: string | undefined): Context {
  const spanContext = parent === undefined ? null : parseTraceParent(parent);
  return spanContext ? trace.setSpanContext(ROOT_CONTEXT, { ...spanContext, isRemote: true }) : ROOT_CONTEXT;
}

const traceparentOf = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;

/** How far performance.now() and the wall clock may drift apart, in milliseconds. */
const mostDrift = 5;

/**
 * Turns times of performance.now() into milliseconds since 1970. Differences stay exact until the two clocks have
 * drifted apart, as they do over days; then the offset is corrected, so that spans of several processes fit together.
 */
export function wallClock(now: () => number = Date.now): (time: number) => number {
  let offset = performance.timeOrigin;
  return (time) => {
    const offsetNow = now() - performance.now();
    if (Math.abs(offsetNow - offset) > mostDrift) offset = offsetNow;
    return offset + time;
  };
}
