import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { onDisk } from '../../../errors/on-disk.ts';
import { replaceDurably } from '../../../model/export/durable-files.ts';
import type { Log } from '../../../process/log/log.ts';

const stretchSchema = z.strictObject({
  /** Documents first … last, both included. */
  first: z.number().int().min(0),
  last: z.number().int().min(0),
  /** Names of the sources that they were joined with. */
  sources: z.array(z.string()).readonly(),
});

type Stretch = Readonly<z.infer<typeof stretchSchema>>;

/** Which sources documents were joined with, in the order of the documents. */
export type JoinedWith = Readonly<{ document: number; sources: readonly string[] }>;

interface JournalOfRun {
  readonly run: string;
  /** SHA-256 of the corpus, in hexadecimal. */
  readonly corpusSha256: string;
  /** The first document that is still to be trained on. */
  readonly from: number;
  /** Of the run file. */
  readonly sources: readonly string[];
}

/**
 * OUTPUT/joined.jsonl: which sources took part in each document. It is on disk before a step is taken on the
 * document. A trainer that resumes from an earlier checkpoint joins the document with the same sources again, so that
 * its weights are the same to the bit though the sources deliver at other times.
 */
export class JoinJournal {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #known: Map<number, readonly string[]>;

  private constructor(path: string, handle: FileHandle, known: Map<number, readonly string[]>) {
    this.#path = path;
    this.#handle = handle;
    this.#known = known;
  }

  /**
   * Opens the journal, and keeps what it holds of the same run and corpus.
   *
   * @throws FuseMeshError resource_exhausted or failed_precondition where the disk refuses
   */
  static async open(
    output: string,
    { run, corpusSha256, from, sources }: JournalOfRun,
    log: Pick<Log, 'info' | 'warn'>,
  ): Promise<JoinJournal> {
    const path = join(output, 'joined.jsonl');
    const head = lineOf({ run, corpusSha256 });
    const [first, ...lines] = await readLines(path);
    const isOurs = `${first}\n` === head;
    const kept = isOurs ? lines.filter(isStretch) : [];
    if (kept.length < lines.length && isOurs) {
      log.warn({ path }, `${path} has ${lines.length - kept.length} lines that cannot be read: passed over`);
    }
    const known = new Map<number, readonly string[]>();
    for (const { first, last, sources: took } of kept.map((line) => stretchSchema.parse(JSON.parse(line)))) {
      // A source that the run file no longer has cannot be waited for.
      const followed = took.every((name) => sources.includes(name));
      for (let document = Math.max(first, from); document <= last; document++) {
        if (followed) known.set(document, took);
        else known.delete(document);
      }
    }
    if (known.size > 0) {
      const last = [...known.keys()].at(-1);
      log.info(
        { path, from, last },
        `Documents up to ${last} are joined with the sources that ${path} names; without it they are joined anew`,
      );
    }
    return onDisk(path, async () => {
      await mkdir(output, { recursive: true });
      await replaceDurably(path, `${head}${kept.map((line) => `${line}\n`).join('')}`);
      return new JoinJournal(path, await open(path, 'a'), known);
    });
  }

  /** The sources that a document was joined with before; undefined where it was not. */
  readonly sourcesOf = (document: number): readonly string[] | undefined => this.#known.get(document);

  /**
   * Returns when it is on disk; what is there already is not written again.
   *
   * @param joined in the order of the documents
   */
  async write(joined: readonly JoinedWith[]): Promise<void> {
    const news = joined.filter(({ document, sources }) => !same(this.#known.get(document), sources));
    for (const { document } of joined) this.#known.delete(document);
    if (news.length === 0) return;
    await onDisk(this.#path, async () => {
      await this.#handle.appendFile(stretchesOf(news).map(lineOf).join(''));
      await this.#handle.datasync();
    });
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

function stretchesOf(joined: readonly JoinedWith[]): Stretch[] {
  const stretches: { first: number; last: number; sources: readonly string[] }[] = [];
  for (const { document, sources } of joined) {
    const stretch = stretches.at(-1);
    if (stretch?.last === document - 1 && same(stretch.sources, sources)) stretch.last = document;
    else stretches.push({ first: document, last: document, sources });
  }
  return stretches;
}

const same = (a: readonly string[] | undefined, b: readonly string[]): boolean =>
  a !== undefined && a.length === b.length && a.every((name) => b.includes(name));

const lineOf = (line: object): string => `${JSON.stringify(line)}\n`;

/** Without what follows the last line break: a kill tore that line, before any step was taken on its documents. */
async function readLines(path: string): Promise<string[]> {
  try {
    return (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function isStretch(line: string): boolean {
  try {
    return stretchSchema.safeParse(JSON.parse(line)).success;
  } catch {
    return false;
  }
}
