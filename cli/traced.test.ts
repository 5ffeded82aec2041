import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { startOtlpReceiver } from '../test/support/otlp-receiver.ts';

const here = (name: string) => pathToFileURL(join(import.meta.dirname, name)).href;
const program = `
  import { createLog } from '${here('../process/log/log.ts')}';
  import { traced } from '${here('traced.ts')}';
  const traces = { serviceName: 'fusemesh-feeder', attributes: {} };
  await traced(traces, createLog('test'), async (tracer) => tracer.start('document').end());
  process.exitCode = 3;`;

it('lets a process leave, with its exit code, though the place for its traces never answers', async () => {
  const receiver = await startOtlpReceiver({ answers: false });
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_TIMEOUT: '600000' };
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...environment },
  });
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  await receiver.stop();
  expect(receiver.requests).toHaveLength(1);
  expect(code).toBe(3);
  expect(stderr.trim().split('\n')).toEqual([expect.stringContaining('takes no traces')]);
});
