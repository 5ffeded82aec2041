import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { FinishReason, TeacherService } from '../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { watchHealth } from '../support/ask-health.ts';
import { startNatsServer } from '../support/nats-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { entry } from '../translated/entry.ts';

const zoo = fileURLToPath(new URL('../../examples/zoo/', import.meta.url));
const run = `drain-${process.pid}`;

interface Ready {
  readonly ready: { readonly grpc: string; readonly metricsPort: number };
}

async function startTeacher(natsUrl: string): Promise<{ child: ChildProcess } & Ready['ready']> {
  const runFile = join(await temporaryDirectory(), 'run.yaml');
  await writeFile(
    runFile,
    JSON.stringify({
      run,
      nats: { url: natsUrl },
      contextLength: 128,
      corpus: [{ domain: 'speeches', path: 'unused.txt' }],
      teachers: [{ name: 'orator', address: '127.0.0.1:0', model: `${zoo}orator` }],
      target: { model: `${zoo}target` },
      trainer: { output: 'unused' },
    }),
  );
  const child = fork(entry, ['teacher', runFile, 'orator'], { execArgv: [], silent: true });
  const [{ ready }] = (await once(child, 'message')) as [Ready];
  return { child, ...ready };
}

it('a teacher that gets SIGTERM finishes what it has in hand, ends its streams, and leaves', async () => {
  const nats = await startNatsServer();
  const { child, grpc, metricsPort } = await startTeacher(nats.url);
  const exit = once(child, 'exit');
  const client = createClient(TeacherService, grpc);
  try {
    const health: string[] = [];
    const healthEnded = watchHealth(grpc, (status) => health.push(status));
    await client.attachRun({ run, teacher: 'orator', topK: 2 });
    let seen = 0;
    let pieces = 0;
    const watching = (async () => {
      for await (const _ of client.watchRun({ run })) seen++;
    })();
    const generated = Array.from({ length: 4 }, async () => {
      for await (const { finishReason, tokens } of client.generate({ prompt: 'We' })) {
        pieces++;
        if (finishReason !== FinishReason.UNSPECIFIED) return tokens;
      }
      return 0;
    });
    await expect
      .poll(() => pieces > 0 && seen > 0 && health.length === 1, { timeout: 30_000, interval: 2 })
      .toBe(true);

    child.kill('SIGTERM');
    await expect.poll(() => health, { timeout: 10_000, interval: 2 }).toEqual(['SERVING', 'NOT_SERVING']);
    const readiness = await fetch(`http://127.0.0.1:${metricsPort}/readyz`);
    expect(readiness.status).toBe(503);
    expect(await readiness.json()).toEqual({ ready: false, problems: { process: 'it is stopping' } });

    for (const tokens of await Promise.all(generated)) expect(tokens).toBeGreaterThan(50);
    await watching;
    expect(await healthEnded).toBe('The server is stopping.');
    await expect(client.score({ text: 'We', topK: 1 })).rejects.toMatchObject({ code: 'unavailable' });
    expect(await exit).toEqual([0, null]);
  } finally {
    client.close();
    child.kill('SIGKILL');
    await nats.stop();
  }
});
