/** What a span says about itself. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/**
 * A piece of work with a beginning and an end. Times are those of performance.now(), in milliseconds; left
 * out, they are now.
 */
export interface Span {
  /** W3C trace context of the span, "00-TRACE-SPAN-FLAGS": the parent of spans under it. */
  readonly traceparent: string;
  end(time?: number): void;
  /** Ends it as failed. */
  fail(error: unknown, time?: number): void;
}

export interface SpanOptions {
  /** Traceparent of the span that it belongs under; left out or malformed, a trace begins with it. */
  readonly parent?: string | undefined;
  /** Traceparents of related spans of other traces. */
  readonly links?: readonly string[];
  /** Whether it sends a message or works on one that came. */
  readonly kind?: 'producer' | 'consumer';
  readonly attributes?: Attributes;
  readonly start?: number;
}

/** Makes a process's spans. Where no traces are asked for there is no tracer, and tracing costs nothing. */
export interface Tracer {
  start(name: string, options?: SpanOptions): Span;
}

/** The traces of a process that sends them. */
export interface Tracing {
  readonly tracer: Tracer;
  /**
   * Sends what is still to be sent, for two seconds at most.
   *
   * @returns whether all of it was answered; if not, what was on its way may keep the process alive
   */
  stop(): Promise<boolean>;
}
