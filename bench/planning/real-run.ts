import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { sourcesOf } from '../../process/config/run-sources.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { freePort } from '../../test/support/free-port.ts';
import { readHistory } from '../../trainer/report/history/history-file.ts';
import { startLocalNatsServer } from '../../wire/nats/local-server.ts';

const command = resolve(import.meta.dirname, '../../cli/fusemesh.mjs');
const readyWithin = 60_000;
const lookEvery = 100;

/**
 * Runs a mesh on this machine with every process by itself, from nats-server to trainer.
 *
 * @returns when each step ended, in seconds
 * @throws FuseMeshError failed_precondition where a process does not become ready or the trainer fails
 */
export async function runMesh(
  runFile: string,
  config: RunConfig,
  replicasOf: (source: string) => number,
): Promise<readonly number[]> {
  const server = await startLocalNatsServer({ storeDirectory: join(config.trainer.output, 'nats') });
  const running: ChildProcess[] = [];
  const settings = [`nats.url=${server.url}`];
  const begin = (...parameters: readonly string[]) => {
    const flags = settings.flatMap((setting) => ['--set', setting]);
    const child = spawn(process.execPath, [command, ...parameters, ...flags], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, LOG_LEVEL: 'error' },
    });
    running.push(child);
    return child;
  };
  try {
    for (const { name, key } of sourcesOf(config)) {
      const address = `${key}.address=127.0.0.1:${await freePort()}`;
      for (let replica = 0; replica < replicasOf(name); replica++) {
        const port = await freePort();
        // The first one is called where the run file says; NATS knows where the others are.
        const own = replica === 0 ? address : `${key}.address=127.0.0.1:0`;
        begin('teacher', runFile, name, '--set', own, '--set', `${key}.metricsPort=${port}`);
        await ready(name, port);
      }
      settings.push(address);
    }
    begin('feed', runFile);
    const trainer = begin('trainer', runFile);
    const [code] = (await once(trainer, 'exit')) as [number | null];
    if (code !== 0) throw new FuseMeshError('failed_precondition', `The trainer ended with ${code}.`);
    return (await readHistory(config.trainer.output)).points.map(({ time }) => time);
  } finally {
    for (const child of running) child.kill('SIGTERM');
    await Promise.all(running.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
    await server.stop();
  }
}

async function ready(name: string, port: number): Promise<void> {
  const deadline = performance.now() + readyWithin;
  while (performance.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(lookEvery);
  }
  throw new FuseMeshError(
    'failed_precondition',
    `Teacher ${name} is not ready after ${readyWithin / 1000} s.`,
  );
}
