import { type FileHandle, open, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { onDisk } from '../../../errors/on-disk.ts';
import type { Log } from '../../../process/log/log.ts';
import { historyPointSchema } from './history-point.ts';
import { type HistoryData, RunHistory } from './run-history.ts';

const lineSchema = z.union([
  z.object({ heldOut: z.object({ step: z.number(), bitsPerByte: z.record(z.string(), z.number()) }) }),
  historyPointSchema,
]);

type Line = Readonly<z.infer<typeof lineSchema>>;

const pathIn = (output: string): string => join(output, 'history.jsonl');

/**
 * The curves that a run has left in its output directory; empty where there are none. Those of a long run are
 * thinned.
 */
export async function readHistory(output: string): Promise<HistoryData> {
  const history = new RunHistory();
  for (const line of await readLines(pathIn(output))) addTo(history, line);
  return history;
}

/**
 * OUTPUT/history.jsonl: a JSON object a line for every step and every evaluation. The training does not depend on
 * it: where it cannot be written, the curves have a gap.
 */
export class HistoryFile {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #log: Pick<Log, 'warn'>;
  #pending = '';
  #writing: Promise<void> | undefined;
  #failed = false;

  private constructor(handle: FileHandle, path: string, log: Pick<Log, 'warn'>) {
    this.#handle = handle;
    this.#path = path;
    this.#log = log;
  }

  /**
   * Resumes after a step: lines of later steps are removed, as these will be done again.
   *
   * @param history gets what the file holds
   */
  static async resume(
    output: string,
    { step, history, log }: { step: number; history: RunHistory; log: Pick<Log, 'warn'> },
  ): Promise<HistoryFile> {
    const path = pathIn(output);
    const kept = (await readLines(path)).filter((line) => stepOf(line) <= step);
    for (const line of kept) addTo(history, line);
    return onDisk(path, async () => {
      await writeFile(`${path}.part`, kept.map(textOf).join(''));
      await rename(`${path}.part`, path);
      return new HistoryFile(await open(path, 'a'), path, log);
    });
  }

  /** Returns at once; lines that come during a write follow in one write after it. */
  append(line: Line): void {
    this.#pending += textOf(line);
    this.#writing ??= this.#write();
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#handle.close();
  }

  async #write(): Promise<void> {
    try {
      while (this.#pending !== '') {
        const lines = this.#pending;
        this.#pending = '';
        await onDisk(`the run's history ${this.#path}`, () => this.#handle.appendFile(lines));
      }
    } catch (error) {
      if (!this.#failed) this.#log.warn(`The curves have a gap: ${(error as Error).message}`);
      this.#failed = true;
    } finally {
      this.#writing = undefined;
    }
  }
}

const textOf = (line: Line): string => `${JSON.stringify(line)}\n`;

const stepOf = (line: Line): number => ('heldOut' in line ? line.heldOut.step : line.step);

function addTo(history: RunHistory, line: Line): void {
  if ('heldOut' in line) history.addHeldOut(line.heldOut);
  else history.add(line);
}

/** The lines that can be read: a kill may have torn the last. */
async function readLines(path: string): Promise<Line[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return text.split('\n').flatMap((line) => {
    try {
      return [lineSchema.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });
}
