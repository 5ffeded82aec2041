import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../test/support/free-port.ts';
import { startOtlpReceiver } from '../../test/support/otlp-receiver.ts';
import type { Log } from '../log/log.ts';
import { startTracing } from './start-tracing.ts';

const trainer = { serviceName: 'fusemesh-trainer', attributes: {} } as const;
const environment = { ...process.env };
let lines: string[];
const log = {
  warn: (line: string) => lines.push(line),
  info: (line: string) => lines.push(line),
} as unknown as Log;

beforeEach(() => {
  lines = [];
  // Gives up sooner, so that nothing is tried again in the time of a test.
  Object.assign(process.env, { OTEL_EXPORTER_OTLP_TIMEOUT: '500', OTEL_BSP_SCHEDULE_DELAY: '10' });
});
afterEach(() => {
  process.env = { ...environment };
});

describe('a place that takes no traces', () => {
  it('is named once, however often it refuses, and again when it takes them', async () => {
    const port = await freePort();
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${port}`;
    const { tracer, stop } = (await startTracing(trainer, log))!;
    tracer.start('step').end();
    await expect.poll(() => lines.length).toBe(1);
    expect(lines[0]).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+\/ takes no traces \(ECONNREFUSED .*\): they are lost/,
    );
    tracer.start('step').end();
    await new Promise((resolve) => setTimeout(resolve, 200));

    const receiver = await startOtlpReceiver({ port });
    await expect
      .poll(() => {
        tracer.start('late').end();
        return lines.length;
      })
      .toBe(2);
    expect(lines[1]).toMatch(/takes traces again; spans lost: [12]$/);
    expect(await stop()).toBe(true);
    expect(receiver.spans.some(({ name }) => name === 'late')).toBe(true);
    await receiver.stop();
  });

  it('keeps nobody who leaves longer than two seconds, though it never answers', async () => {
    process.env['OTEL_EXPORTER_OTLP_TIMEOUT'] = '60000';
    const receiver = await startOtlpReceiver({ answers: false });
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url;
    const { tracer, stop } = (await startTracing(trainer, log))!;
    tracer.start('step').end();
    expect(await stop()).toBe(false);
    expect(receiver.requests).toHaveLength(1);
    expect(lines).toEqual([expect.stringMatching(/takes no traces \(it did not answer within 2 s\)/)]);
    await receiver.stop();
  });
});
