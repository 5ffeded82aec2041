import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { type Job, runJob } from './run-job.ts';

async function rowsOf(script: string, changes: Partial<Job> = {}, seconds = 20) {
  const command = [process.execPath, '-e', script] as const;
  const job: Job = { part: 'parity', name: 'job', command, seconds, mustWork: true, ...changes };
  return runJob(job, seconds, await temporaryDirectory());
}

const sayings = `console.log('{"figures":{"x":1}}\\nother output\\n{"name":"two","ok":true}');`;

it('takes the rows that a process says', async () => {
  expect(await rowsOf(sayings)).toEqual([
    { part: 'parity', name: 'job', figures: { x: 1 } },
    { part: 'parity', name: 'two', ok: true },
  ]);
});

it('keeps what was said before a failure, and gives the reason', async () => {
  const rows = await rowsOf(
    `${sayings} console.error('first'); console.error('it is broken'); process.exitCode = 1;`,
  );
  expect(rows).toHaveLength(3);
  expect(rows[2]).toEqual({ part: 'parity', name: 'job', ok: false, note: 'it is broken' });
});

it('tells of a process that the system ends', async () => {
  const rows = await rowsOf(`process.kill(process.pid, 'SIGSEGV');`, { mustWork: false });
  expect(rows).toEqual([{ part: 'parity', name: 'job', note: 'ended with SIGSEGV' }]);
});

it('ends a process that takes too long, and what it has started', async () => {
  const left = join(await temporaryDirectory(), 'left');
  const child = `setTimeout(() => require('node:fs').writeFileSync(${JSON.stringify(left)}, ''), 3000)`;
  const script = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'inherit' }); setInterval(() => {}, 1000);`;
  expect(await rowsOf(script, {}, 1.5)).toEqual([
    { part: 'parity', name: 'job', ok: false, note: 'not done after 2 s' },
  ]);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  expect(existsSync(left)).toBe(false);
});

it('says what is not installed', async () => {
  const rows = await rowsOf('', { command: ['no-such-program'], mustWork: false });
  expect(rows).toEqual([{ part: 'parity', name: 'job', note: 'not installed: no-such-program' }]);
});
