import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Transferring, transferring } from './transferring.ts';
import { type Methods, type RunningWorker, startWorker } from './worker.ts';

interface Calculator extends Methods {
  add(a: number, b: number): number;
  later(ms: number, value: string): Promise<string>;
  refuse(): never;
  fail(): never;
  double(values: Float32Array<ArrayBuffer>): Transferring<Float32Array<ArrayBuffer>>;
  lengthOfLast(): number;
  leaveAtEnd(path: string): void;
}

let directory: string;
let file: URL;
let worker: RunningWorker<Calculator>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fusemesh-worker-'));
  const path = join(directory, 'calculator.mts');
  const here = (name: string) => pathToFileURL(join(import.meta.dirname, name)).href;
  await writeFile(
    path,
    `import { atEndOfThread, serveWorker } from '${here('worker.ts')}';
     import { writeFileSync } from 'node:fs';
     import { transferring } from '${here('transferring.ts')}';
     import { FuseMeshError } from '${here('../../errors/fusemesh-error.ts')}';
     let last = new Float32Array(0);
     serveWorker({
       add: (a: number, b: number): number => a + b,
       later: async (ms: number, value: string) => {
         await new Promise((resolve) => setTimeout(resolve, ms));
         return value;
       },
       refuse: () => { throw new FuseMeshError('invalid_argument', 'no'); },
       fail: () => { setImmediate(() => { throw new Error('broken'); }); return new Promise(() => {}); },
       double: (values: Float32Array<ArrayBuffer>) => {
         last = values.map((value) => 2 * value);
         return transferring(last, [last.buffer]);
       },
       lengthOfLast: () => last.length,
       leaveAtEnd: (path: string) => atEndOfThread(() => writeFileSync(path, 'freed')),
     });`,
  );
  file = pathToFileURL(path);
  return () => rm(directory, { recursive: true });
});

describe('a worker thread', () => {
  const start = () => {
    worker = startWorker<Calculator>(file);
    return worker.remote;
  };
  afterEach(() => worker.stop());

  it('answers calls, one after another', async () => {
    const remote = start();
    const order: string[] = [];
    const note = (value: string) => order.push(value);
    await Promise.all([remote.later(30, 'slow').then(note), remote.later(0, 'quick').then(note)]);
    expect(order).toEqual(['slow', 'quick']);
    expect(await remote.add(2, 3)).toBe(5);
  });

  it('passes errors on with their code and goes on', async () => {
    const remote = start();
    await expect(remote.refuse()).rejects.toMatchObject({ code: 'invalid_argument', message: 'no' });
    expect(await remote.add(1, 1)).toBe(2);
  });

  it('hands buffers over where it is told to, in both directions, and copies them otherwise', async () => {
    const remote = start();
    const values = Float32Array.of(1, 2, 3);
    expect(await remote.double(values)).toEqual(Float32Array.of(2, 4, 6));
    expect(values.length).toBe(3);
    expect(await remote.double(transferring(values, [values.buffer]))).toEqual(Float32Array.of(2, 4, 6));
    expect(values.length).toBe(0);
    expect(await remote.lengthOfLast()).toBe(0);
  });

  it('fails all calls when it breaks or is stopped', async () => {
    const remote = start();
    await expect(remote.fail()).rejects.toThrow('the worker thread of calculator.mts failed: broken');
    await expect(remote.add(1, 1)).rejects.toMatchObject({ code: 'internal' });
    expect(await worker.failed).toMatchObject({ message: expect.stringContaining('failed: broken') });
  });

  it('frees what it has when it is stopped, unless it computes', async () => {
    const path = join(directory, 'freed.txt');
    const remote = start();
    await remote.leaveAtEnd(path);
    await worker.stop();
    expect(await readFile(path, 'utf8')).toBe('freed');
    const busy = start()
      .later(60_000, 'never')
      .catch((error: Error) => error.message);
    await worker.stop();
    expect(await busy).toContain('has stopped');
  });

  it('has not failed when it is stopped', async () => {
    const remote = start();
    await remote.add(1, 1);
    await worker.stop();
    await expect(remote.add(1, 1)).rejects.toThrow('has stopped');
    expect(await Promise.race([worker.failed, 'stopped'])).toBe('stopped');
  });
});
