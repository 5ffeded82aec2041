/**
 * A corpus of parquet files is fed by a process that is killed twice: its speed, its memory, and what arrives.
 * Both the feeder and the tokenizers that it is compared with have one core, where the machine has taskset.
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
  let peakMemory = 0;
  /** Rises in the second half of the cutting show memory that grows with the corpus. */
  const memories: number[] = [];

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
  const feedUntil = async (enough: () => Promise<boolean>): Promise<void> => {
    const started = performance.now();
    const process = start();
    feeder = process;
    const ended = once(process, 'exit');
    while (process.exitCode === null && !(await enough())) {
      await sleep(100);
      const bytes = await residentBytes(process.pid ?? 0);
      peakMemory = Math.max(peakMemory, bytes);
      memories.push(bytes);
    }
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

  const journal = () => readJournal(join(output, 'corpus'));
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
  const tokenizersSpeed = sampled / 1e6 / Number(stdout);

  const half = memories.slice(memories.length / 2);
  report('feed', [
    { name: 'fed, killed twice', ...against(written.bytes / 1e6 / seconds, tokenizersSpeed), unit: 'MB/s' },
    { name: 'peak memory of the feeder', value: peakMemory / 1e6, unit: 'MB' },
    { name: 'peak memory in the second half', value: Math.max(...half) / 1e6, unit: 'MB' },
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
