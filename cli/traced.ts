import type { Log } from '../process/log/log.ts';
import { startTracing, type TracedProcess } from '../process/tracing/start-tracing.ts';
import type { Tracer } from '../process/tracing/tracer.ts';

/** How long what is left of sending traces may keep the process, in milliseconds. */
const leaveWithin = 500;

/**
 * Does a process's work with its traces, if they are asked for; what is still to be sent is sent at the end.
 * A place that takes no traces keeps no process from leaving.
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

/** Ends the process if it has not ended by itself: a look-up of a name, for one, cannot be called off. */
function leaveSoon(): void {
  setTimeout(() => process.exit(), leaveWithin).unref();
}
