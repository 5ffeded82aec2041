import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { onDisk } from '../../../errors/on-disk.ts';
import { replaceDurably } from '../../../model/export/durable-files.ts';
import type { Source } from './source.ts';
import type { SourceModel } from './source-model.ts';

const keptSchema = z.strictObject({
  run: z.string(),
  corpusSha256: z.string(),
  tokenizerFingerprint: z.string(),
  modelFingerprint: z.string(),
  templateFingerprint: z.string(),
  serverVersion: z.string(),
  probe: z.array(z.number()),
});

/** The run whose sources are remembered; of another run, or another corpus, nothing is. */
interface KeptRun {
  readonly run: string;
  /** In hexadecimal. */
  readonly corpusSha256: string;
}

/**
 * OUTPUT/sources: which model each source had when the run met it first, so that another one is noticed though both the
 * trainer and the teacher were started again meanwhile.
 */
export class KeptModels {
  readonly #directory: string;
  readonly #run: KeptRun;
  /** By the source's name: resolves when its file is on disk. */
  readonly #kept = new Map<string, Promise<void>>();

  private constructor(output: string, run: KeptRun) {
    this.#directory = join(output, 'sources');
    this.#run = run;
  }

  /**
   * Tells the sources what is remembered of them.
   *
   * @throws FuseMeshError invalid_argument where a file there is not what was written, failed_precondition where it cannot
   *   be read
   */
  static async recall(output: string, run: KeptRun, sources: readonly Source[]): Promise<KeptModels> {
    const kept = new KeptModels(output, run);
    for (const source of sources) {
      source.model ??= await kept.#read(source.name);
      if (source.model) kept.#kept.set(source.name, Promise.resolve());
    }
    return kept;
  }

  /** Returns when the source's model is on disk; the first one stays. */
  async keep(name: string, model: SourceModel): Promise<void> {
    const kept = this.#kept.get(name) ?? this.#write(name, model);
    this.#kept.set(name, kept);
    try {
      await kept;
    } catch (error) {
      this.#kept.delete(name);
      throw error;
    }
  }

  async #write(name: string, model: SourceModel): Promise<void> {
    const path = this.#pathOf(name);
    // Far below what is noticed.
    const probe = model.probe.map((value) => Number(value.toFixed(4)));
    const kept: z.infer<typeof keptSchema> = { ...this.#run, ...model, probe };
    await onDisk(path, async () => {
      await mkdir(this.#directory, { recursive: true });
      await replaceDurably(path, `${JSON.stringify(kept)}\n`);
    });
  }

  async #read(name: string): Promise<SourceModel | undefined> {
    const path = this.#pathOf(name);
    const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return undefined;
      throw new FuseMeshError('failed_precondition', `Cannot read ${path}: ${cause.message}.`, { cause });
    });
    if (text === undefined) return undefined;
    try {
      const { run, corpusSha256, ...model } = keptSchema.parse(JSON.parse(text));
      return run === this.#run.run && corpusSha256 === this.#run.corpusSha256 ? model : undefined;
    } catch (cause) {
      throw new FuseMeshError(
        'invalid_argument',
        `${path} does not say which model the source had: remove it, and the next one that is met is taken for it.`,
        { cause },
      );
    }
  }

  /** A source's name is a file's name: lower-case letters, digits and dashes. */
  #pathOf(name: string): string {
    return join(this.#directory, `${name}.json`);
  }
}
