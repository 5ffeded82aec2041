import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { newestRecord } from '../../trainer/checkpoint/read-checkpoint.ts';
import { readHistory } from '../../trainer/report/history/history-file.ts';
import { startCommand } from '../end-to-end/command.ts';
import { awaitCheckpoint, logLines, makeSmallCorpus, writeRunFile, zoo } from '../end-to-end/small-run.ts';
import { VllmServer } from './vllm-server.ts';

const model = fileURLToPath(new URL('../../models/smollm2-135m-instruct', import.meta.url));

it('a run with a vLLM that is killed in the middle and started again has every document of every source, once', {
  timeout: 900_000,
}, async () => {
  const corpus = await makeSmallCorpus({ bytesOfDomain: 6_000 });
  onTestFinished(() => corpus.remove());
  const server = await VllmServer.start({ model, dtype: 'float32', maxModelLen: 512 });
  onTestFinished(() => server.kill());
  const { path, output } = await writeRunFile(corpus, {
    run: 'vllm',
    changes: {
      // Little room, so that there is work left when the server is killed.
      nats: { maxDocuments: 8, maxDistributions: 8 },
      teachers: [
        {
          name: 'smollm2',
          address: '127.0.0.1:0',
          served: { url: server.url, api: 'vllm', model: 'model' },
          tokenizer: model,
        },
        ...['novelist', 'engineer'].map((name) => ({ name, address: '127.0.0.1:0', model: join(zoo, name) })),
      ],
    },
  });
  const up = startCommand(['up', path, '--json'], { NATS_URL: undefined });
  onTestFinished(() => void up.process.kill('SIGTERM'));
  await Promise.race([awaitCheckpoint(output, 2), up.finished]);
  await server.kill();
  await server.start();
  const { code, stderr, stdout } = await up.finished;
  expect(code, stderr + stdout).toBe(0);

  const said = JSON.stringify(await logLines(output, 'teacher-smollm2'));
  expect(said).toContain('texts wait until it answers again');
  const { state } = (await newestRecord(join(output, 'checkpoints')))!;
  const published = (await logLines(output, 'feed')).findLast((line) => 'documents' in line);
  expect(published).toMatchObject({ documents: state.documents });
  const { points } = await readHistory(output);
  expect(points.flatMap(({ without }) => Object.values(without))).toEqual([]);
  const chosen = Object.values(state.documentsChosen);
  expect(chosen.reduce((sum, one) => sum + one, 0)).toBe(state.documents);
});
