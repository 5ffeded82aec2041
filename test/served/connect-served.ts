import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { createLog } from '../../process/log/log.ts';
import { createRegister } from '../../process/metrics/create-register.ts';
import { servedMetrics } from '../../services/teacher/backends/served/metric-table.ts';
import { ServedModel, type ServedModelOptions } from '../../services/teacher/backends/served/served-model.ts';
import { sglang } from '../../services/teacher/backends/served/sglang.ts';
import { vllm } from '../../services/teacher/backends/served/vllm.ts';
import type { ServedApi } from './served-server.ts';

export const zooModel = (name: string): string =>
  fileURLToPath(new URL(`../../examples/zoo/${name}`, import.meta.url));

/** A served teacher's model before a server of the tests, with time limits that a test can wait for. */
export async function connectServed(
  api: ServedApi,
  url: string | readonly string[],
  changes: Partial<ServedModelOptions> = {},
): Promise<ServedModel> {
  const model = await ServedModel.connect({
    teacher: 'orator',
    protocol: { vllm, sglang }[api],
    servers: [url].flat().map((each) => ({ url: each })),
    model: 'model',
    tokenizer: zooModel('orator'),
    topK: 8,
    contextLength: 96,
    inFlight: 16,
    metrics: servedMetrics(createRegister({})),
    log: createLog('test', { level: 'silent' }),
    signal: new AbortController().signal,
    limits: { connect: 2_000, answer: 1_500, body: 1_500 },
    ...changes,
  });
  onTestFinished(() => model.close());
  return model;
}
