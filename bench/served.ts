/**
 * Throughput and memory of a teacher in front of a vLLM that answers at once, against JSON.parse of its answers.
 *
 * Both take the same answers, 50 candidates a token, from a process of its own: ours from the request to the message
 * for NATS, the other only from the bytes to sorted rows. Rates are tokens a second of processor time.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLog } from '../process/log/log.ts';
import { createRegister } from '../process/metrics/create-register.ts';
import { servedMetrics } from '../services/teacher/backends/served/metric-table.ts';
import { ServedModel } from '../services/teacher/backends/served/served-model.ts';
import { vllm } from '../services/teacher/backends/served/vllm.ts';
import { isRefused } from '../services/teacher/teacher-model.ts';
import { encodeTextDistribution } from '../wire/codec/encode-text-distribution.ts';
import { against, report } from './report.ts';

const topK = 50;
const documents = 32;
/** Some three hundred tokens. */
const bytesOfDocument = 1400;
const warmUpRounds = 5;
const rounds = 60;

const zoo = join(import.meta.dirname, '..', 'examples', 'zoo');
const directory = join(zoo, 'orator');
const corpus = await readFile(join(zoo, 'corpus', 'speeches.txt'), 'utf8');
const texts = Array.from({ length: documents }, (_, i) =>
  corpus.slice(i * bytesOfDocument, (i + 1) * bytesOfDocument),
);

const worker = join(import.meta.dirname, 'served', 'server-worker.ts');
const child = fork(worker, [directory, String(topK)], { execArgv: ['--import', 'tsx'] });
const [port] = (await once(child, 'message')) as [number];
const url = `http://127.0.0.1:${port}`;
const model = await ServedModel.connect({
  teacher: 'orator',
  protocol: vllm,
  servers: [{ url }],
  model: 'model',
  tokenizer: directory,
  topK,
  contextLength: 2048,
  inFlight: 32,
  metrics: servedMetrics(createRegister({})),
  log: createLog('bench', { level: 'silent' }),
  signal: new AbortController().signal,
});

/** Scores all documents, each in a request, and makes the messages. @returns tokens */
async function round(): Promise<number> {
  const { fingerprint: tokenizerFingerprint } = model.tokenizer;
  const counts = texts.map(async (text, document) => {
    const [outcome] = await model.score([text], topK, { lane: 'bench' });
    if (isRefused(outcome)) throw new Error(outcome.refusal);
    encodeTextDistribution(
      { ...outcome, document, teacher: 'orator', tokenizerFingerprint },
      model.card.vocabularySize,
    );
    return outcome.tokenIds.length;
  });
  return (await Promise.all(counts)).reduce((a, b) => a + b, 0);
}

async function rate(times: number, task: () => Promise<number> | number) {
  const before = process.cpuUsage();
  const began = performance.now();
  let tokens = 0;
  for (let i = 0; i < times; i++) tokens += await task();
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - began) / 1000;
  return { perSecond: tokens / seconds, perProcessorSecond: tokens / ((user + system) / 1e6), tokens };
}

await rate(warmUpRounds, round);
const startBytes = process.memoryUsage.rss();
const ours = await rate(rounds, round);
const endBytes = process.memoryUsage.rss();

const answers: Buffer[] = [];
for (const { ids } of await model.tokenizer.encodeBatch(texts)) {
  const body = vllm.scoreBody({ ids, topK }, 'model');
  answers.push(
    Buffer.from(await (await fetch(`${url}/v1/completions`, { method: 'POST', body })).arrayBuffer()),
  );
}
const bytes = answers.reduce((sum, { length }) => sum + length, 0);

type Row = Record<string, { readonly logprob: number; readonly rank: number }> | null;
/** What most clients do. */
function parseAll(): number {
  let tokens = 0;
  for (const answer of answers) {
    const [choice] = JSON.parse(answer.toString()).choices as { prompt_logprobs: Row[] }[];
    const rows = choice.prompt_logprobs.map((row) =>
      Object.entries(row ?? {})
        .filter(([, { rank }]) => rank <= topK)
        .sort(([, a], [, b]) => a.rank - b.rank),
    );
    tokens += rows.length;
  }
  return tokens;
}
await rate(2, parseAll);
const naive = await rate(10, parseAll);

await model.close();
child.disconnect();
const megabytes = (value: number) => value / 2 ** 20;
report('served', [
  {
    name: 'a second of processor time, whole way | JSON.parse and sort alone',
    unit: 'tokens',
    ...against(ours.perProcessorSecond, naive.perProcessorSecond),
  },
  { name: 'a second of wall time', unit: 'tokens', value: ours.perSecond },
  { name: 'in all', unit: 'tokens', value: ours.tokens },
  { name: 'an answer, a token', unit: 'bytes', value: (bytes * rounds) / ours.tokens },
  {
    name: 'memory at the end | at the start',
    unit: 'MiB',
    ...against(megabytes(endBytes), megabytes(startBytes)),
  },
]);
