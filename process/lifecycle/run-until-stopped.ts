import { setMaxListeners } from 'node:events';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** The exit code by which shells know a command that Ctrl-C ended. */
export const interruptedExitCode = 130;

/**
 * Runs a process's main function until it ends or the process is told to stop, and sets the exit code.
 *
 * SIGINT and SIGTERM abort the signal, so that what is in hand is finished; a second one ends the process at
 * once. With FUSEMESH_PARENT=1 the end of the parent process counts as such a signal, and so does a reader of stdout that
 * closes it (`| head`).
 * When it has ended, what still stands open (a socket whose other side hangs) keeps the process for five seconds at most.
 * A failure prints one line on stderr, "fusemesh: …"; LOG_LEVEL=debug adds the stack trace.
 */
export async function runUntilStopped(main: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  // All parts of a process listen to it: many listeners are no leak.
  setMaxListeners(0, abort.signal);
  let stops = 0;
  const stop = (code: number) => {
    if (++stops > 1) process.exit(code);
    abort.abort();
  };
  const onInterrupt = () => stop(130);
  const onTerminate = () => stop(143);
  const onParentGone = () => stop(1);
  const onOutputClosed = (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') abort.abort();
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  process.stdout.on('error', onOutputClosed);
  if (process.env['FUSEMESH_PARENT'] === '1') process.on('disconnect', onParentGone);

  // A main function that only waits for its signal must not end the process: signals keep none alive.
  const alive = setInterval(() => {}, 2 ** 30);
  try {
    await main(abort.signal);
  } catch (error) {
    process.exitCode = reportFailure(error, abort.signal.aborted);
  } finally {
    clearInterval(alive);
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onTerminate);
    process.stdout.off('error', onOutputClosed);
    process.off('disconnect', onParentGone);
    if (process.connected) process.disconnect();
    endSoon();
  }
}

/** Ends the process even where something is left open, but not before a slow reader of its output has all of it. */
function endSoon(): void {
  setTimeout(() => {
    const isRead = ({ destroyed, writableLength }: NodeJS.WriteStream) => destroyed || writableLength === 0;
    if (isRead(process.stdout) && isRead(process.stderr)) process.exit();
    else endSoon();
  }, 5_000).unref();
}

/** Prints a failure and returns the exit code; being cancelled after a stop is none. */
function reportFailure(error: unknown, stopped: boolean): number {
  if (stopped && error instanceof FuseMeshError && error.code === 'cancelled') return 0;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`fusemesh: ${message.replaceAll(/\s*\n\s*/g, ' ')}\n`);
  if (process.env['LOG_LEVEL'] === 'debug' && error instanceof Error)
    process.stderr.write(`${error.stack}\n`);
  return error instanceof FuseMeshError ? error.exitCode : 1;
}
