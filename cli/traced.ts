import type { Log } from '../process/log/log.ts';
import { startTracing, type TracedProcess } from '../process/tracing/start-tracing.ts';
import type { Tracer } from '../process/tracing/tracer.ts';

/** How long unsent traces may keep the process alive, in milliseconds. */
const leaveWithin = 500;

/**
 * Does a process's work with traces, if they are asked for, and sends the last of them at the end. A collector that
 * does not answer keeps no process from ending.
 */
export async function traced<T>(
  traces: TracedProcess,
  log: Log,
  work: (tracer: Tracer | undefined) => Promise<T>,
): Promise<T> {
  const tracing = await startTracing(traces, log);
  try {
    return await work(tracing?.tracer);
  } finally {
    if (tracing && !(await tracing.stop())) leaveSoon();
  }
}

/** Ends the process if it does not end by itself: a look-up of a name, for example, cannot be cancelled. */
function leaveSoon(): void {
  setTimeout(() => process.exit(), leaveWithin).unref();
}
