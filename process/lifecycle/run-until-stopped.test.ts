import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

const here = (name: string) => pathToFileURL(join(import.meta.dirname, name)).href;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fusemesh-lifecycle-'));
  return () => rm(directory, { recursive: true });
});

/** Starts a process whose main function has the given body, and waits until it says that it is ready. */
async function start(body: string, environment: Record<string, string> = {}) {
  const path = join(directory, `${Math.random()}.mts`);
  await writeFile(
    path,
    `import { runUntilStopped } from '${here('run-until-stopped.ts')}';
     import { FuseMeshError } from '${here('../../errors/fusemesh-error.ts')}';
     await runUntilStopped(async (signal) => {
       const stopped = new Promise((resolve) => signal.addEventListener('abort', resolve));
       process.send('ready');
       ${body}
     });`,
  );
  const child = spawn(process.execPath, ['--import', 'tsx', path], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...environment },
  });
  let stderr = '';
  child.stderr?.on('data', (text) => {
    stderr += text;
  });
  // Not the event close: it never comes once the channel was closed on this side.
  const exit = Promise.all([once(child, 'exit'), once(child.stderr!, 'end')]).then(([[code, signal]]) => ({
    code,
    signal,
    stderr,
  }));
  await once(child, 'message');
  return { child, exit };
}

describe('runUntilStopped', () => {
  it('lets the main function finish after SIGTERM', async () => {
    const { child, exit } = await start(`await stopped; process.stderr.write('finished')`);
    child.kill('SIGTERM');
    expect(await exit).toMatchObject({ code: 0, stderr: 'finished' });
  });

  it('ends the process although something is left open, with its exit code and all of its output', async () => {
    const { child, exit } = await start(
      `setInterval(() => {}, 1e6); process.stdout.write('x'.repeat(1 << 20)); throw new FuseMeshError('not_found', 'gone');`,
    );
    let written = 0;
    child.stdout?.on('data', (text) => {
      written += text.length;
    });
    expect(await exit).toMatchObject({ code: 2, stderr: 'fusemesh: gone\n' });
    expect(written).toBe(1 << 20);
  }, 20_000);

  it('ends at once at the second signal', async () => {
    const { child, exit } = await start(
      `await stopped; process.send('stopping'); setInterval(() => {}, 1e6); await new Promise(() => {})`,
    );
    child.kill('SIGINT');
    await once(child, 'message');
    child.kill('SIGINT');
    expect(await exit).toMatchObject({ code: 130 });
  });

  it('stops when the parent goes away', async () => {
    const { child, exit } = await start(`await stopped; process.stderr.write('finished')`, {
      FUSEMESH_PARENT: '1',
    });
    child.disconnect();
    expect(await exit).toMatchObject({ code: 0, stderr: 'finished' });
  });

  it.each([
    [`throw new FuseMeshError('not_found', 'No file\\n here')`, 2, 'fusemesh: No file here\n'],
    [`throw new FuseMeshError('unavailable', 'No NATS')`, 1, 'fusemesh: No NATS\n'],
    [`throw new Error('odd')`, 1, 'fusemesh: odd\n'],
  ])('prints one line for a failure: %s', async (body, code, stderr) => {
    const { exit } = await start(body);
    expect(await exit).toMatchObject({ code, stderr });
  });
});
