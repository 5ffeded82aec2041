import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runConfigSchema } from '../../../process/config/schema.ts';
import { createLog } from '../../../process/log/log.ts';
import { runTeacher, type TeacherAddresses } from '../../../services/teacher/main.ts';
import { type RunningTarget, startTarget, zooModel } from '../../support/running-target.ts';

// `npm run test:clients` installs both and sets this.
const python = join(process.env['FUSEMESH_CLIENTS']!, 'bin', 'python');
const run = promisify(execFile);
const script = (name: string) => join(import.meta.dirname, name);

let target: RunningTarget;
beforeAll(async () => {
  target = await startTarget(zooModel('target'));
});
afterAll(() => target.stop());

it('openai of PyPI', async () => {
  const { stdout } = await run(python, [script('openai_client.py'), target.baseUrl, 'demo']);
  expect(stdout.trim()).toBe('step-0');
});

it('tritonclient of PyPI, with target service and teacher', async () => {
  const config = runConfigSchema.parse({
    run: 'demo',
    nats: { url: 'nats://127.0.0.1:1' },
    contextLength: 128,
    corpus: [{ domain: 'speeches', path: 'unused.txt' }],
    teachers: [{ name: 'orator', address: '127.0.0.1:0', model: zooModel('orator') }],
    target: { model: zooModel('target') },
    trainer: { output: 'unused' },
  });
  const stop = new AbortController();
  const log = createLog('teacher', { level: 'silent' });
  let served: Promise<void> = Promise.resolve();
  const address = await new Promise<string>((resolve, reject) => {
    const onReady = ({ grpc }: TeacherAddresses) => resolve(grpc);
    served = runTeacher(config, 'orator', { signal: stop.signal, log, onReady });
    served.catch(reject);
  });
  const { stdout } = await run(python, [script('triton_client.py'), target.grpc, address, 'demo', 'orator']);
  expect(stdout).toContain('[');
  stop.abort();
  await served;
});
