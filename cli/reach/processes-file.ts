import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { onDisk } from '../../errors/on-disk.ts';

const processSchema = z.strictObject({
  name: z.string(),
  kind: z.enum(['teacher', 'target', 'rollout', 'trainer']),
  /** HOST:PORT of its gRPC service; empty where it has none. */
  grpc: z.string(),
  metricsPort: z.number(),
  pid: z.number(),
});
const fileSchema = z.strictObject({
  /** Process id of the `fusemesh up` that keeps the file. */
  pid: z.number(),
  /** URL of the NATS server that it started; left out where the run brings one. */
  nats: z.strictObject({ url: z.string(), tokenFile: z.string().optional() }).optional(),
  processes: z.array(processSchema),
});

/** A process of a run as `fusemesh up` started it. */
export type RunningProcess = z.infer<typeof processSchema>;

/** A NATS server that was started for a run, and where its token is. */
export type OwnNats = NonNullable<z.infer<typeof fileSchema>['nats']>;

/** What OUTPUT/processes.json tells: "gone" when the `fusemesh up` that wrote it was killed. */
export type RunningProcesses =
  | { readonly state: 'none' }
  | { readonly state: 'gone'; readonly pid: number }
  | {
      readonly state: 'running';
      readonly nats?: OwnNats | undefined;
      readonly processes: readonly RunningProcess[];
    };

export const processesFile = (output: string): string => join(output, 'processes.json');

/** Reads which processes of a run are there; a file that is being replaced or is no such file counts as none. */
export async function readProcesses(output: string): Promise<RunningProcesses> {
  const text = await readFile(processesFile(output), 'utf8').catch(() => '');
  const { success, data } = fileSchema.safeParse(jsonOf(text));
  if (!success) return { state: 'none' };
  const { pid, nats, processes } = data;
  return isAlive(pid) ? { state: 'running', nats, processes } : { state: 'gone', pid };
}

/** OUTPUT/processes.json as the one command that writes it has it. */
export interface KeptProcesses {
  add(running: RunningProcess): Promise<void>;
  /** It has ended, and the others go on. */
  drop(name: string): Promise<void>;
  /** Takes the file away. */
  end(): Promise<void>;
}

/**
 * Begins OUTPUT/processes.json, without a process. Readers see it whole at any time.
 *
 * @param nats the NATS server that was started for the run, if one was
 */
export async function keepProcesses(output: string, nats?: OwnNats): Promise<KeptProcesses> {
  const path = processesFile(output);
  let processes: readonly RunningProcess[] = [];
  let written: Promise<unknown> = onDisk(output, () => mkdir(output, { recursive: true }));
  const write = async (): Promise<void> => {
    written = written.then(() =>
      onDisk(path, async () => {
        await writeFile(
          `${path}.part`,
          `${JSON.stringify({ pid: process.pid, nats, processes }, undefined, 2)}\n`,
        );
        await rename(`${path}.part`, path);
      }),
    );
    await written;
  };
  await write();
  return {
    add: (running) => {
      processes = [...processes, running];
      return write();
    },
    drop: (name) => {
      processes = processes.filter((running) => running.name !== name);
      return write();
    },
    end: async () => {
      await written.catch(() => undefined);
      await rm(path, { force: true });
    },
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a process of this id is there on this machine. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It belongs to another user, so it is alive.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
