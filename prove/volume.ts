/**
 * Gigabytes of distributions, 200 candidates a token, from three teachers' processes over nats-server into the trainer's
 * joining, alignment and fusion: the memory of every process stays where it was. Nothing is scored and nothing trained,
 * which would take hours.
 *
 * --gigabytes N   so many (10)
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { announce, feedDocuments } from '../bench/mesh/feed.ts';
import { startTeachers, startWorker } from '../bench/mesh/processes.ts';
import type { Run, Taken } from '../bench/mesh/request.ts';
import { teachers } from '../bench/mesh/sources.ts';
import { cutTexts } from '../bench/mesh/texts.ts';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { memoryOf } from '../test/end-to-end/kept-process.ts';
import { loadRealTokenizer } from '../test/support/real-tokenizer.ts';
import { connectNats } from '../wire/nats/connection.ts';
import { startLocalNatsServer } from '../wire/nats/local-server.ts';

const { values } = parseArgs({ options: { gigabytes: { type: 'string', default: '10' } } });
const wanted = Number(values.gigabytes) * 1e9;
const sizes = { topK: 200, topP: 1 };
const contextLength = 512;
const textsOfFile = 32;
/** Of each teacher that wait in the stream at most. */
const maxDistributions = 256;
/** Documents by which the size of all is told. */
const firstDocuments = 96;
const lookEvery = 500;
/** Of so many parts of the run, each as its median, the last is compared with the second: the first fills what is kept. */
const parts = 5;
/** What memory may have grown by from the one to the other. */
const allowed = (bytes: number): number => Math.max(0.1 * bytes, 32 * 2 ** 20);

const tokenizers = await Promise.all(teachers.map((name) => loadRealTokenizer(name)));
const texts = await cutTexts(tokenizers, contextLength, textsOfFile);
const storeDirectory = await mkdtemp(join(tmpdir(), 'fusemesh-volume-'));
const server = await startLocalNatsServer({ storeDirectory });
const connection = await connectNats(server.url, 'volume');
const trainer = await startWorker<Run, Taken>('chain-worker.ts');
const taught = await startTeachers(texts, sizes);
try {
  const processes = new Map([
    ['trainer', trainer.pid],
    ...teachers.map((name, i): [string, number] => [`teacher ${name}`, taught[i].pid]),
    ['nats-server', server.pid],
  ]);
  const first = await through('first', firstDocuments);
  const documents = Math.ceil((wanted / first.bytes) * firstDocuments);
  const looks: Map<string, number>[] = [];
  const watch = setInterval(() => {
    looks.push(new Map([...processes].map(([name, pid]) => [name, memoryOf(pid, 'VmRSS')])));
  }, lookEvery);
  const { bytes, tokens, seconds } = await through('whole', documents).finally(() => clearInterval(watch));
  console.log(
    `${(bytes / 1e9).toFixed(2)} GB, ${documents} documents, ${tokens} target tokens in ${seconds.toFixed(0)} s`,
  );
  const grown = [...processes.keys()].filter((name) => !told(name, looks));
  if (grown.length > 0) throw new FuseMeshError('resource_exhausted', `Memory grows: ${grown.join(', ')}.`);
} finally {
  for (const side of [trainer, ...taught]) await side.close();
  await connection.close();
  await server.stop();
  await rm(storeDirectory, { recursive: true, force: true });
}

/** A run of so many documents. */
async function through(name: string, documents: number): Promise<Taken> {
  const run = { url: server.url, run: name, documents, ...sizes };
  const fed = { run: name, texts, documents };
  await announce(connection, fed, { maxDocuments: maxDistributions, maxDistributions });
  const [taken] = await Promise.all([
    trainer.ask(run),
    ...taught.map((side, i) => side.ask({ ...run, teacher: teachers[i] })),
    feedDocuments(connection, fed),
  ]);
  return taken;
}

/** Prints the memory of a process, part by part. @returns whether it stayed where it was */
function told(name: string, looks: readonly Map<string, number>[]): boolean {
  const all = looks.map((memory) => memory.get(name)!);
  const medians = Array.from({ length: parts }, (_, part) => {
    const [from, to] = [part, part + 1].map((border) => (border / parts) * all.length);
    const sorted = all.slice(from, to).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)];
  });
  const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
  console.log(
    `${name}: ${medians.map(mebibytes).join(', ')} MiB; at most ${mebibytes(Math.max(...all))} MiB`,
  );
  const [before, after] = [medians[1], medians[parts - 1]];
  return after - before <= allowed(before);
}
