import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { type RunConfig, runConfigSchema } from '../../process/config/schema.ts';
import { createLog } from '../../process/log/log.ts';
import { runTeacher } from '../../services/teacher/main.ts';
import { newestCheckpoint } from '../../trainer/checkpoint/read-checkpoint.ts';
import { runTrainer } from '../../trainer/main.ts';
import { readHistory } from '../../trainer/report/history/history-file.ts';
import { CorpusManifestSchema, DocumentSchema } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { connectNats } from '../../wire/nats/connection.ts';
import { startLocalNatsServer } from '../../wire/nats/local-server.ts';
import { openRunStreams } from '../../wire/nats/run-streams.ts';
import { freePort } from '../support/free-port.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));
const log = createLog('on-policy', { level: 'silent' });

/** What a target might have written. Two documents are of one step; the fourth is older than staleness 0 allows there. */
const written = [
  { weightsStep: 0n, teacher: 'orator' },
  { weightsStep: 0n, teacher: 'novelist' },
  { weightsStep: 1n, teacher: 'novelist' },
  { weightsStep: 0n, teacher: 'orator' },
  { weightsStep: 2n, teacher: '' },
  { weightsStep: 2n, teacher: 'orator', unfinished: true },
];

const documentOf = ({ unfinished = false, ...rollout }: (typeof written)[number], number: number) =>
  create(DocumentSchema, {
    number: BigInt(number),
    schemaVersion: 2,
    turns: [
      { role: 'user', content: 'What did the nation promise?' },
      { role: 'assistant', content: `The ship and the people, all ${number}`, learnt: true, unfinished },
    ],
    rollout: { ...rollout, tokens: 20, logProbability: -40, seconds: 0.5 },
  } satisfies MessageInitShape<typeof DocumentSchema>);

async function configOf(url: string, output: string): Promise<RunConfig> {
  const teacher = async (name: string, chatTemplate: string) => ({
    name,
    address: `127.0.0.1:${await freePort()}`,
    model: join(examples, 'zoo', name),
    chatTemplate: join(examples, 'conversations', chatTemplate),
  });
  return runConfigSchema.parse({
    run: `on-policy-${process.pid}`,
    nats: { url },
    contextLength: 64,
    topK: 16,
    onPolicy: { prompts: [{ domain: 'prompts', path: 'unused.jsonl' }], staleness: 0 },
    teachers: [await teacher('orator', 'chatml.jinja'), await teacher('novelist', 'llama-2.jinja')],
    target: { model: join(examples, 'zoo/target'), service: { address: '127.0.0.1:1' } },
    fusion: { loss: 'reverseKL' },
    trainer: { output, address: '127.0.0.1:0', metricsPort: 0, batchDocuments: 2, checkpointEvery: 1 },
  });
}

it('trains on what the target wrote, by the word of its judges, and passes over what is too old', {
  timeout: 120_000,
}, async () => {
  const nats = await startLocalNatsServer({ storeDirectory: await temporaryDirectory() });
  const output = await temporaryDirectory();
  const config = await configOf(nats.url, output);
  const stop = new AbortController();
  const { signal } = stop;
  const teachers = config.teachers.map(({ name }) => runTeacher(config, name, { signal, log }));
  const feeder = await connectNats(nats.url, 'feeder');
  const streams = openRunStreams(feeder, config.run);
  await streams.ensure(config.nats);
  const sha256 = new Uint8Array(32).fill(5);
  const documents = BigInt(written.length);
  await streams.publishManifest(create(CorpusManifestSchema, { documents, sha256, contextLength: 64 }));
  for (const [number, one] of written.entries()) {
    await streams.publishDocument(documentOf(one, number), { signal });
  }
  await runTrainer(config, { signal, log });

  const checkpoint = await newestCheckpoint(join(output, 'checkpoints'), log);
  expect(checkpoint?.state).toMatchObject({
    step: 3,
    documents: 6,
    documentsPassedOver: 1,
    rollouts: { documents: 5, tokens: 100, endedByLength: 1, dropped: 1 },
  });
  expect(checkpoint?.state.documentsChosen['novelist']).toBeGreaterThanOrEqual(2);
  const { points } = await readHistory(output);
  expect(points.map(({ rollouts }) => rollouts)).toMatchObject([
    { documents: 2, staleness: 0, endedByLength: 0 },
    { documents: 1, staleness: 0, endedByLength: 0 },
    { documents: 2, staleness: 0, endedByLength: 1 },
  ]);
  for (const { loss, causalLoss, fusionLoss, rollouts } of points) {
    // The divergence alone counts; a KL is above 0.
    expect(causalLoss).toBe(0);
    expect(loss).toBeCloseTo(fusionLoss, 6);
    expect(loss).toBeGreaterThan(0);
    expect(Number.isFinite(rollouts!.logRatio)).toBe(true);
  }
  stop.abort();
  await Promise.all(teachers);
  await feeder.close();
  await nats.stop();
});
