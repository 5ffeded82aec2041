import { expect } from 'vitest';
import { findTeachers, findTrainers } from '../../wire/discovery/find.ts';
import type { FoundTeacher } from '../../wire/discovery/teacher-listing.ts';
import type { NatsConnection } from '../../wire/nats/connection.ts';
import { type RunningCommand, startCommand } from './command.ts';

/** Processes that a test starts one by one, as on several machines, on one NATS server. */
export class MeshOfProcesses {
  readonly #url: string;
  readonly #started: RunningCommand[] = [];

  constructor(url: string) {
    this.#url = url;
  }

  start(...parameters: string[]): RunningCommand {
    const command = startCommand(parameters, { NATS_URL: this.#url, LOG_LEVEL: 'warn' });
    this.#started.push(command);
    return command;
  }

  /** Ends what still runs. */
  async stop(): Promise<void> {
    for (const { process } of this.#started) process.kill('SIGTERM');
    await Promise.all(this.#started.map(({ finished }) => finished));
  }
}

/** The teachers that were started for a run, once there are so many. */
export async function awaitTeachers(
  connection: NatsConnection,
  run: string,
  count: number,
): Promise<FoundTeacher[]> {
  const ours = async () => (await findTeachers(connection)).filter((one) => one.run === run);
  await expect.poll(async () => (await ours()).length, { timeout: 120_000 }).toBe(count);
  return ours();
}

/** HOST:PORT of the trainer of a run, once there is one. */
export async function awaitTrainer(connection: NatsConnection, run: string): Promise<string> {
  const address = async () => (await findTrainers(connection)).find((one) => one.run === run)?.address;
  await expect.poll(address, { timeout: 120_000 }).toBeDefined();
  return (await address())!;
}
