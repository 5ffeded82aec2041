import type { RunConfig } from '../../process/config/schema.ts';
import { TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { TrainerService } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import type { RunningProcesses } from '../reach/processes-file.ts';
import { reachableAddress } from '../reach/reachable.ts';
import { type Listener, type LookedAt, tryPort } from './run-listeners.ts';

const answerWithin = 2_000;

/** Tries all ports of a run, and asks what answers where one is not free whether it is the run's own process. */
export async function lookAtListeners(
  config: RunConfig,
  running: RunningProcesses,
  listeners: readonly Listener[],
): Promise<LookedAt[]> {
  const tried = await Promise.all(
    listeners.map(async (listener) => ({ ...listener, state: await tryPort(listener) })),
  );
  const serving = new Set<string>(
    running.state === 'running' ? running.processes.map(({ name }) => name) : [],
  );
  const asked = tried.filter(
    ({ kind, state, port }) => kind === 'gRPC' && port !== 0 && isPossiblyServed(state),
  );
  await Promise.all(
    asked.map(async (listener) => {
      if (await isProcessOfRun(config, listener)) serving.add(listener.process);
    }),
  );
  return tried.map((each) => ({
    ...each,
    isServed: isPossiblyServed(each.state) && serving.has(each.process),
  }));
}

const isPossiblyServed = (state: LookedAt['state']): boolean => state === 'taken' || state === 'elsewhere';

/** Whether the process of the run that belongs there answers. */
async function isProcessOfRun(
  { run, security }: RunConfig,
  { process, host, port }: Listener,
): Promise<boolean> {
  const address = reachableAddress(`${host.includes(':') ? `[${host}]` : host}:${port}`);
  const options = { timeoutMs: answerWithin };
  try {
    if (process === 'trainer') {
      const client = createClient(TrainerService, address, security);
      const { run: served } = await client.getStatus({}, options).finally(() => client.close());
      return served === run;
    }
    const client = createClient(TeacherService, address, security);
    const card = await client.getModelCard({}, options).finally(() => client.close());
    return card.name === process && card.run === run;
  } catch {
    // Whatever it is, it is not that process.
    return false;
  }
}
