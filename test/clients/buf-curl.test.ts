import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningTarget, startTarget, zooModel } from '../support/running-target.ts';

// What grpcurl does: it asks the server by reflection what there is, and calls it without our protocol files.
const buf = join(import.meta.dirname, '../../node_modules/.bin/buf');
let target: RunningTarget;
beforeAll(async () => {
  target = await startTarget(zooModel('target'));
});
afterAll(() => target.stop());

async function curl(path: string, ...parameters: readonly string[]): Promise<string> {
  const all = [
    'curl',
    '--http2-prior-knowledge',
    '--protocol',
    'grpc',
    ...parameters,
    `http://${target.grpc}${path}`,
  ];
  return (await promisify(execFile)(buf, all)).stdout;
}

it('lists the services', async () => {
  const services = (await curl('', '--list-services')).trim().split('\n');
  expect(services).toEqual(
    expect.arrayContaining(['fusemesh.v1.TargetService', 'inference.GRPCInferenceService']),
  );
});

it('calls both', async () => {
  const served = JSON.parse(await curl('/fusemesh.v1.TargetService/GetServedModel', '--data', '{}'));
  expect(served).toMatchObject({ name: 'demo', family: 'llama', contextLength: 256 });
  const prompt = 'Fellow citizens of the Senate';
  const pieces = await curl(
    '/fusemesh.v1.TargetService/Generate',
    '--data',
    JSON.stringify({ prompt, maxTokens: 4 }),
  );
  expect(pieces).toContain('FINISH_REASON_LENGTH');
  const asked = {
    modelName: 'demo',
    inputs: [
      {
        name: 'text_input',
        datatype: 'BYTES',
        shape: [1],
        contents: { bytesContents: [Buffer.from(prompt).toString('base64')] },
      },
    ],
    parameters: { max_tokens: { int64Param: 4 } },
  };
  const answer = JSON.parse(
    await curl('/inference.GRPCInferenceService/ModelInfer', '--data', JSON.stringify(asked)),
  );
  expect(answer).toMatchObject({
    modelName: 'demo',
    modelVersion: '0',
    outputs: [{ name: 'text_output' }, {}],
  });
});
