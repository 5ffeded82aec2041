import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const urlOf = (file: string) => pathToFileURL(`${import.meta.dirname}/${file}`).href;

/** What a new process prints, whose environment has this value. */
const printed = (program: string, ORT_DISABLE_TELEMETRY?: string): string =>
  execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    env: { ...process.env, ORT_DISABLE_TELEMETRY },
    encoding: 'utf8',
  }).trim();

test('whoever can start a worker has the variable set, and what the user has set stays', () => {
  const program = `await import('${urlOf('worker.ts')}'); console.log(process.env.ORT_DISABLE_TELEMETRY);`;
  expect(printed(program)).toBe('1');
  expect(printed(program, '0')).toBe('0');
});

test('a thread does not load the library where its process has not set the variable', () => {
  const program = `
    import { Worker } from 'node:worker_threads';
    const workerData = { file: '${urlOf('session.ts')}' };
    const worker = new Worker(new URL('${urlOf('worker-bootstrap.mjs')}'), { workerData, execArgv: [] });
    worker.on('error', ({ message }) => console.log(message));
    worker.on('exit', (code) => console.log(code));`;
  expect(printed(program)).toMatch(
    /^ORT_DISABLE_TELEMETRY is not in the environment of this process: .*\n1$/,
  );
  expect(printed(program, '1')).toBe('0');
});
