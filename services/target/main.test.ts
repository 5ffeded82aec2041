import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readArchitecture } from '../../model/families/read-architecture.ts';
import { Generator } from '../../model/generation/generator.ts';
import { modelFingerprint } from '../../model/model-fingerprint.ts';
import { safetensorsParts } from '../../model/safetensors/write-safetensors.ts';
import { runConfigSchema } from '../../process/config/schema.ts';
import { createLog } from '../../process/log/log.ts';
import { contraryWeights, writeContrary } from '../../test/support/changed-model.ts';
import { freePort } from '../../test/support/free-port.ts';
import { zooModel } from '../../test/support/running-target.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { findTargets } from '../../wire/discovery/find.ts';
import { TargetService } from '../../wire/generated/fusemesh/v1/target_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { connectNats } from '../../wire/nats/connection.ts';
import { startLocalNatsServer } from '../../wire/nats/local-server.ts';
import { openWeights } from '../../wire/nats/weights.ts';
import { describeWeights } from '../../wire/nats/weights-description.ts';
import { runTarget, type TargetAddresses } from './main.ts';

const run = 'live';
const model = zooModel('target');
const prompt = 'Fellow citizens of the Senate';

/** What a trainer would publish after a step. */
async function contraryContent(step: number) {
  const { weights: shapes } = await readArchitecture(model);
  const tensors = [...(await contraryWeights(model))].map(([name, values]) => ({
    name,
    dtype: 'F32' as const,
    shape: shapes.get(name)!,
    data: new Uint8Array(values.buffer),
  }));
  const fingerprint = Buffer.from(await modelFingerprint(model)).toString('hex');
  const metadata = describeWeights({ model: fingerprint, adapter: undefined });
  return { step, parts: safetensorsParts(tensors), metadata };
}

async function greedy(directory: string): Promise<string> {
  const generator = await Generator.load(directory, { threads: 1 });
  let text = '';
  const request = { prompt, maxTokens: 8, temperature: 0, topP: 1, seed: 0, stop: [] };
  for await (const piece of generator.generate(request)) text += piece.text;
  await generator.close();
  return text;
}

it('serves the first weights without NATS; with NATS it is found, and serves what the trainer publishes', async () => {
  const port = await freePort();
  const url = `nats://127.0.0.1:${port}`;
  const config = runConfigSchema.parse({
    run,
    nats: { url },
    contextLength: 128,
    corpus: [{ domain: 'speeches', path: 'unused.txt' }],
    teachers: [{ name: 'orator', address: '127.0.0.1:0' }],
    target: { model, service: { address: '127.0.0.1:0' } },
    trainer: { output: 'unused' },
  });
  const stop = new AbortController();
  const log = createLog('target', { level: 'silent' });
  let serving: Promise<void> = Promise.resolve();
  const { grpc, metricsPort } = await new Promise<TargetAddresses>((resolve, reject) => {
    serving = runTarget(config, { signal: stop.signal, log, onReady: resolve });
    serving.catch(reject);
  });
  const client = createClient(TargetService, grpc);
  const answered = async () => {
    let text = '';
    let step = 0n;
    for await (const piece of client.generate({ prompt, maxTokens: 8 })) {
      text += piece.text;
      step = piece.weightsStep;
    }
    return { text, step };
  };
  expect(await answered()).toEqual({ text: await greedy(model), step: 0n });
  expect((await fetch(`http://127.0.0.1:${metricsPort}/readyz`)).status).toBe(200);

  const server = await startLocalNatsServer({ storeDirectory: await temporaryDirectory(), port });
  const connection = await connectNats(url, 'test');
  const found = async () => (await findTargets(connection)).filter((one) => one.run === run);
  await expect
    .poll(found, { timeout: 20_000 })
    .toMatchObject([{ address: grpc, httpAddress: `127.0.0.1:${metricsPort}`, weightsStep: 0, answers: 0 }]);
  const bucket = openWeights(connection, run);
  await bucket.publish(await contraryContent(4), { patience: 30, replicas: 1 });
  const contrary = join(await temporaryDirectory(), 'contrary');
  await writeContrary(contrary, model);
  await expect.poll(answered, { timeout: 20_000 }).toEqual({ text: await greedy(contrary), step: 4n });
  expect(await found()).toMatchObject([{ weightsStep: 4 }]);

  stop.abort();
  await serving;
  expect(await found()).toEqual([]);
  client.close();
  await connection.close();
  await server.stop();
});

it('names what the run file lacks', async () => {
  const config = runConfigSchema.parse({
    run,
    contextLength: 128,
    teachers: [{ name: 'orator', address: '127.0.0.1:0' }],
    target: { model },
    trainer: { output: 'unused' },
  });
  const log = createLog('target', { level: 'silent' });
  await expect(runTarget(config, { signal: new AbortController().signal, log })).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringContaining('target.service'),
  });
});
