/**
 * A corpus of parquet files is fed by a process that is killed twice: its speed, its memory, and what arrives.
 * Both the feeder and the tokenizers that it is compared with have one core, where the machine has taskset. Figures by
 * processor time are those to compare where the machine has other work too.
 *
 * --megabytes N   size of the corpus, which is written first; 2000 by default, which takes about an hour
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { readJournal } from '../services/feeder/stored-corpus.ts';
import { documentFromBytes } from '../wire/codec/document-bytes.ts';
import { connectNats } from '../wire/nats/connection.ts';
import { startLocalNatsServer } from '../wire/nats/local-server.ts';
import { openRunStreams } from '../wire/nats/run-streams.ts';
import { tagPattern, writeSyntheticCorpus } from './feeding/synthetic-corpus.ts';
import { against, report } from './report.ts';

const { values } = parseArgs({
  options: { megabytes: { type: 'string', default: '2000' }, json: { type: 'boolean' } },
});
const wantedBytes = 1e6 * Number(values.megabytes);
const root = resolve(import.meta.dirname, '..');
const zoo = join(root, 'examples/zoo');
const models = ['target', 'orator'].map((name) => join(zoo, name));
/** As FuseLLM's. */
const contextLength = 2048;
/** Documents between two releases, as a trainer's checkpoints make them. */
const releaseEvery = 256;
const sampleBytes = Math.min(10e6, wantedBytes);

const hasTaskset = spawnSync('taskset', ['--version']).status === 0;
const oneCore = (command: string, parameters: readonly string[]): [string, string[]] =>
  hasTaskset ? ['taskset', ['-c', '0', command, ...parameters]] : [command, [...parameters]];

const directory = await mkdtemp(join(tmpdir(), 'fusemesh-bench-feed-'));
const server = await startLocalNatsServer({ storeDirectory: join(directory, 'nats') });
const connection = await connectNats(server.url, 'bench');
const over = new AbortController();
let feeder: ChildProcess | undefined;
try {
  const data = join(directory, 'data');
  const output = join(directory, 'output');
  await mkdir(data);
  const written = await writeSyntheticCorpus(data, wantedBytes);
  console.error(`Written: ${written.rows} texts, ${(written.bytes / 1e6).toFixed(0)} MB`);
  const runFile = join(directory, 'run.yaml');
  const run = 'bench-feed';
  await writeFile(
    runFile,
    // JSON is YAML.
    JSON.stringify({
      run,
      nats: { url: server.url },
      contextLength,
      corpus: [{ domain: 'pile', path: join(data, 'train-*.parquet') }],
      teachers: [{ name: 'orator', address: '127.0.0.1:0', model: models[1] }],
      target: { model: models[0] },
      trainer: { output },
    }),
  );

  const streams = openRunStreams(connection, run);
  let arrived = 0;
  let arrivedBytes = 0;
  let doubled = 0;
  const seen = new Uint8Array(written.rows);
  const sample: string[] = [];
  let sampled = 0;
  /** Of the feeder, and how much of its work was done then: cutting is one half, publishing the other. */
  const memories: { readonly done: number; readonly bytes: number }[] = [];

  const start = (): ChildProcess => {
    const [command, parameters] = oneCore(process.execPath, [
      ...process.execArgv,
      join(root, 'cli/fusemesh.ts'),
      'feed',
      runFile,
    ]);
    const environment = { ...process.env, FUSEMESH_PARENT: undefined };
    return spawn(command, parameters, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: environment,
      cwd: root,
    });
  };
  let seconds = 0;
  let processorSeconds = 0;
  const journal = () => readJournal(join(output, 'corpus'));
  const feedUntil = async (enough: () => Promise<boolean>): Promise<void> => {
    const started = performance.now();
    const process = start();
    feeder = process;
    const ended = once(process, 'exit');
    let used = 0;
    while (process.exitCode === null && !(await enough())) {
      await sleep(100);
      const bytes = await residentBytes(process.pid ?? 0);
      const cut = (await journal())?.bytes ?? 0;
      memories.push({ done: (cut + arrivedBytes) / (2 * written.bytes), bytes });
      used = Math.max(used, await processorTime(process.pid ?? 0));
    }
    processorSeconds += used;
    seconds += (performance.now() - started) / 1000;
    if (process.exitCode !== null) throw new Error(`The feeder ended with ${process.exitCode}`);
    process.kill('SIGKILL');
    await ended;
  };

  const taking = (async () => {
    let manifestDocuments: number | undefined;
    while (manifestDocuments === undefined && !over.signal.aborted) {
      manifestDocuments = await streams
        .readManifest()
        .then((manifest) => manifest && Number(manifest.documents))
        .catch(() => undefined);
      await sleep(100);
    }
    if (manifestDocuments === undefined) return;
    for await (const { bytes } of streams.readDocuments({ from: 0, signal: over.signal })) {
      const { text, number } = documentFromBytes(bytes, undefined);
      if (Number(number) !== arrived) throw new Error(`Document ${number} in the place of ${arrived}`);
      arrived++;
      arrivedBytes += Buffer.byteLength(text);
      const row = tagPattern.exec(text)?.[1];
      if (row !== undefined && seen[Number(row)]++ > 0) doubled++;
      if (sampled < sampleBytes) {
        sample.push(text);
        sampled += Buffer.byteLength(text);
      }
      if (arrived % releaseEvery === 0) await streams.releaseDocuments(arrived);
      if (arrived === manifestDocuments) return;
    }
  })();
  taking.catch(() => undefined);

  await feedUntil(async () => ((await journal())?.bytes ?? 0) > 0.4 * written.bytes);
  console.error('Killed while cutting');
  await feedUntil(async () => arrivedBytes > 0.5 * written.bytes);
  console.error('Killed while publishing');
  await feedUntil(async () => arrivedBytes >= written.bytes);
  await taking;

  const lost = seen.reduce((sum, times) => sum + (times === 0 ? 1 : 0), 0);
  const sampleFile = join(directory, 'sample.json');
  await writeFile(sampleFile, JSON.stringify(sample));
  const worker = join(import.meta.dirname, 'feeding/tokenize-worker.ts');
  const [command, parameters] = oneCore(process.execPath, [
    ...process.execArgv,
    worker,
    sampleFile,
    ...models,
  ]);
  const { stdout } = await promisify(execFile)(command, parameters);
  const tokenized = JSON.parse(stdout) as { seconds: number; processorSeconds: number };
  const megabytesIn = (bytes: number, time: number) => bytes / 1e6 / time;
  /** The most while that part of the work was done, or the nearest that was seen: it is seen in steps of 16 MB. */
  const memoryAt = (part: number) => {
    const distance = ({ done }: { readonly done: number }) => Math.abs(done - part);
    const nearest = Math.min(...memories.map(distance));
    return Math.max(...memories.filter((each) => distance(each) === nearest).map(({ bytes }) => bytes)) / 1e6;
  };
  report('feed', [
    {
      name: 'fed, killed twice',
      ...against(megabytesIn(written.bytes, seconds), megabytesIn(sampled, tokenized.seconds)),
      unit: 'MB/s',
    },
    {
      name: 'fed, by processor time',
      ...against(
        megabytesIn(written.bytes, processorSeconds),
        megabytesIn(sampled, tokenized.processorSeconds),
      ),
      unit: 'MB/s',
    },
    {
      name: 'memory of the feeder, most',
      value: Math.max(...memories.map(({ bytes }) => bytes)) / 1e6,
      unit: 'MB',
    },
    ...[0.1, 0.5, 0.9].map((done) => ({
      name: `memory at ${100 * done} % of its work`,
      value: memoryAt(done),
      unit: 'MB',
    })),
    { name: 'documents', value: arrived, unit: '' },
    { name: 'texts lost', value: lost, unit: '' },
    { name: 'texts doubled', value: doubled, unit: '' },
    { name: 'bytes lost or doubled', value: Math.abs(arrivedBytes - written.bytes), unit: '' },
  ]);
} finally {
  over.abort();
  feeder?.kill('SIGKILL');
  await connection.close();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
}

async function residentBytes(processId: number): Promise<number> {
  const status = await readFile(`/proc/${processId}/status`, 'utf8').catch(() => '');
  return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
}

/** User and system time in seconds: the 14th and 15th field of proc(5)'s stat, 100 ticks a second. */
async function processorTime(processId: number): Promise<number> {
  const stat = await readFile(`/proc/${processId}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100;
}
