import type { RunConfig } from '../../process/config/schema.ts';
import { unlessAborted } from '../../process/lifecycle/unless-aborted.ts';
import type { Recorded } from '../../trainer/record-run.ts';
import { keepProcesses } from '../reach/processes-file.ts';
import { startOwnNats } from './own-nats.ts';
import { RunProcesses } from './run-processes.ts';
import { forgetStreams } from './run-up.ts';

interface RecordUpOptions {
  /** Where the recording goes. */
  readonly directory: string;
  /** Settings of the command line. */
  readonly overrides: readonly string[];
  /** Start a NATS server for this run. */
  readonly ownNats: boolean;
  /** Hears in a line what goes on. */
  readonly note: (line: string) => void;
  readonly onProgress: (recorded: Recorded) => void;
  readonly signal: AbortSignal;
}

const suffix = '-recording';
/** Most letters that a run's name has. */
const longestName = 63;

/**
 * Starts teachers and feeder of a run on this machine, and records what the teachers say of the corpus. It goes by
 * streams of its own: a live run of the same file loses nothing by it.
 *
 * @returns undefined when it was stopped before
 */
export async function runRecord(
  path: string,
  given: RunConfig,
  { directory, overrides, ownNats, note, onProgress, signal }: RecordUpOptions,
): Promise<Recorded | undefined> {
  const nats = ownNats ? await startOwnNats(given, note) : undefined;
  const run = `${given.run.slice(0, longestName - suffix.length)}${suffix}`;
  const config = { ...given, ...(nats && { nats: nats.settings }), run };
  const settings = [...overrides, `run=${run}`, ...(nats?.overrides ?? [])];
  const processes = new RunProcesses(path, config, settings);
  const { url, tokenFile } = config.nats;
  const kept = await keepProcesses(config.trainer.output, nats && { url, tokenFile });
  try {
    const work = record();
    work.catch(() => undefined);
    const result = await unlessAborted(Promise.race([work, processes.failure]), signal);
    await processes.stop();
    if (result) await forgetStreams(config);
    return result;
  } finally {
    await processes.stop();
    await kept.end();
    await nats?.stop();
  }

  async function record(): Promise<Recorded | undefined> {
    const teachers = await processes.startTeachers(({ message }) =>
      note(`${message}. The recording goes on without it.`),
    );
    if (signal.aborted) return undefined;
    for (const teacher of teachers) {
      const { name, grpc, metricsPort, pid } = teacher;
      await kept.add({ name, kind: 'teacher', grpc, metricsPort, pid });
    }
    processes.startFeeder(() => undefined);
    let last: Recorded | undefined;
    await processes.startRecorder(directory, (recorded) => {
      last = recorded;
      onProgress(recorded);
    });
    return last;
  }
}
