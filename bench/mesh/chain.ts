import { readFile } from 'node:fs/promises';
import { openRunStreams } from '../../wire/nats/run-streams.ts';
import type { Figure } from '../report.ts';
import { feed } from './feed.ts';
import { type BenchServer, startTeachers, startWorker } from './processes.ts';
import type { Run, Taken, Texts } from './request.ts';
import { teachers } from './sources.ts';
import type { TimeSplit } from './split-of-time.ts';

const [rounds, documents] = [5, 2048];

/** What is wanted of two cores, in target tokens a second. */
const wantedSpeed = 150_000;
/** What is wanted on the wire, in bytes a token of a teacher. */
const wantedBytes = 48;

/** What a run took, from the first document that a teacher takes to the last batch. */
interface ChainTaken {
  readonly trainer: Taken;
  readonly taught: readonly Taken[];
  /** Processor time of nats-server; undefined where the system does not tell. */
  readonly nats: number | undefined;
}

/**
 * Documents through three teachers' processes, nats-server and the trainer's process, all as fast as they can, and
 * what the parts take of it. The shortest run and the least processor time of some count.
 *
 * @param texts none longer than 512 tokens
 */
export async function chainFigures(server: BenchServer, texts: readonly string[]): Promise<Figure[]> {
  const trainer = await startWorker<Texts | Run, Taken | TimeSplit>('chain-worker.ts');
  const sides = await startTeachers(texts);
  try {
    const all: ChainTaken[] = [];
    for (let round = 0; round < rounds; round++) {
      const { connection, pid, url } = server;
      const run = `chain-${round}`;
      const limits = { maxDocuments: documents, maxDistributions: documents };
      await feed(connection, { run, texts, documents }, limits);
      const before = await processorSeconds(pid);
      const [taken, ...taught] = await Promise.all([
        trainer.ask({ url, run, documents }),
        ...sides.map((side, i) => side.ask({ url, run, documents, teacher: teachers[i] })),
      ]);
      const after = await processorSeconds(pid);
      const nats = before === undefined || after === undefined ? undefined : after - before;
      all.push({ trainer: taken as Taken, taught, nats });
      await openRunStreams(connection, run).remove();
    }
    return figuresOf(all, (await trainer.ask({ texts })) as TimeSplit);
  } finally {
    for (const side of [trainer, ...sides]) await side.close();
  }
}

function figuresOf(all: readonly ChainTaken[], split: TimeSplit): Figure[] {
  const [{ trainer, taught }] = all;
  const speed = trainer.tokens / Math.min(...all.map((one) => one.trainer.seconds));
  const tokensSent = taught.reduce((sum, { tokens }) => sum + tokens, 0);
  const perToken = (name: string, seconds: number): Figure => ({
    name,
    value: (1e6 * seconds) / trainer.tokens,
    unit: 'µs a target token',
  });
  const least = (of: (one: ChainTaken) => number) => Math.min(...all.map(of));
  const taughtSeconds = (one: ChainTaken) =>
    one.taught.reduce((sum, { processorSeconds: seconds }) => sum + seconds, 0);
  const bytes = (name: string, sent: Pick<Taken, 'bytes' | 'tokens'>): Figure => ({
    name,
    value: sent.bytes / sent.tokens,
    unit: 'bytes a token',
    baseline: wantedBytes,
    ratio: sent.bytes / sent.tokens / wantedBytes,
  });
  return [
    {
      name: 'whole chain',
      value: speed,
      unit: 'target tokens/s',
      baseline: wantedSpeed,
      ratio: speed / wantedSpeed,
    },
    perToken('processor: three teachers (publish)', least(taughtSeconds)),
    ...(all.every(({ nats }) => nats !== undefined)
      ? [
          perToken(
            'processor: nats-server',
            least(({ nats }) => nats!),
          ),
        ]
      : []),
    perToken(
      'processor: trainer',
      least((one) => one.trainer.processorSeconds),
    ),
    ...Object.entries(split).map(([name, seconds]) => perToken(`alone: ${name}`, seconds * trainer.tokens)),
    bytes('on the wire', { bytes: trainer.bytes, tokens: tokensSent }),
    ...taught.map((sent, i) => bytes(`on the wire: ${teachers[i]}`, sent)),
  ];
}

/** Ticks of user and system time a second, as Linux has them on every machine that Node runs on. */
const ticksPerSecond = 100;

/** Processor seconds of another process since it began; undefined on systems without /proc. */
async function processorSeconds(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the program's name, which may have spaces; user and system time are the 14th and 15th.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields && (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
