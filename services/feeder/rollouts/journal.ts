import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { z } from 'zod';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { type Document, DocumentSchema } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';

/** What its first line says: of which run and plan the rollouts are. */
const headSchema = z.strictObject({
  format: z.literal('fusemesh rollouts'),
  version: z.literal(1),
  run: z.string(),
  plan: z.string(),
});

const countSchema = z.number().int().min(0);
const turnSchema = z.strictObject({
  role: z.string(),
  content: z.string(),
  learnt: z.boolean().default(false),
  unfinished: z.boolean().default(false),
  extras: z.string().default(''),
});
/** A line: what the target wrote for one document. */
const lineSchema = z.strictObject({
  document: countSchema,
  domain: z.string(),
  prompt: countSchema,
  weightsStep: countSchema,
  seed: countSchema,
  tokens: countSchema,
  logProbability: z.number(),
  seconds: z.number(),
  teacher: z.string().default(''),
  turns: z.array(turnSchema).min(1),
  tools: z.string().default(''),
});
type Line = z.infer<typeof lineSchema>;
/** As it is written: what is nothing is left out. */
type WrittenLine = z.input<typeof lineSchema>;

const lineFeed = 0x0a;
const readAtOnce = 1 << 20;

/** Where a line stands in the file. */
interface Place {
  readonly offset: number;
  readonly length: number;
}

/**
 * What the target has written in a run, on disk: JSON lines behind a first one that names the run and its plan. Lines
 * are only ever added, and are on the disk before anybody learns of them. In memory are their places.
 */
export class RolloutJournal {
  readonly #file: FileHandle;
  readonly #path: string;
  #end: number;
  readonly #places = new Map<number, Place>();
  /** The newest weights that have written one of them. */
  #newestStep = 0;

  private constructor(file: FileHandle, path: string, end: number) {
    this.#file = file;
    this.#path = path;
    this.#end = end;
  }

  /**
   * Opens a journal, or begins it. A last line that was not written whole is removed.
   *
   * @param of the run, and a digest of its plan
   * @throws FuseMeshError data_loss where a line before the last cannot be read, failed_precondition where it is of
   *   another run or plan
   */
  static async open(
    path: string,
    of: { readonly run: string; readonly plan: string },
  ): Promise<RolloutJournal> {
    const file = await open(path, 'a+');
    try {
      const journal = new RolloutJournal(file, path, 0);
      const hasHead = await journal.#readAll(of);
      await file.truncate(journal.#end);
      if (!hasHead) {
        await journal.#write(`${JSON.stringify({ format: 'fusemesh rollouts', version: 1, ...of })}\n`);
        // That there is such a file must last too.
        const directory = await open(dirname(path), 'r');
        await directory.sync().finally(() => directory.close());
      }
      return journal;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get newestStep(): number {
    return this.#newestStep;
  }

  get count(): number {
    return this.#places.size;
  }

  has(document: number): boolean {
    return this.#places.has(document);
  }

  /** Undefined where the target has not written it yet. */
  async read(document: number): Promise<Document | undefined> {
    const place = this.#places.get(document);
    if (place === undefined) return undefined;
    const bytes = Buffer.alloc(place.length);
    await this.#file.read(bytes, 0, bytes.length, place.offset);
    return documentOf(this.#parsed(lineSchema, bytes, `at byte ${place.offset}`));
  }

  /** Once it returns, they are on the disk. A document that is there already is left as it is. */
  async append(rollouts: readonly Document[]): Promise<void> {
    const fresh = new Map<number, string>();
    for (const rollout of rollouts) {
      const number = Number(rollout.number);
      if (!this.has(number) && !fresh.has(number)) {
        fresh.set(number, `${JSON.stringify(lineOf(rollout))}\n`);
      }
    }
    if (fresh.size === 0) return;
    let offset = this.#end;
    await this.#write([...fresh.values()].join(''));
    for (const [document, line] of fresh) {
      const length = Buffer.byteLength(line);
      this.#places.set(document, { offset, length: length - 1 });
      offset += length;
    }
    for (const { rollout } of rollouts) {
      this.#newestStep = Math.max(this.#newestStep, Number(rollout?.weightsStep ?? 0));
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #write(text: string): Promise<void> {
    try {
      await this.#file.appendFile(text);
      await this.#file.sync();
    } catch (cause) {
      // What came of it is not known: opened again, the file shows it.
      throw new FuseMeshError(
        'failed_precondition',
        `The rollouts cannot be kept in ${this.#path} (${(cause as NodeJS.ErrnoException).code}): make room there.`,
        { cause },
      );
    }
    this.#end += Buffer.byteLength(text);
  }

  /** @returns whether there is a first line */
  async #readAll(of: { readonly run: string; readonly plan: string }): Promise<boolean> {
    let number = 0;
    for await (const { bytes, offset } of this.#lines()) {
      number++;
      const where = `line ${number}`;
      if (number === 1) this.#refuseOther(this.#parsed(headSchema, bytes, where), of);
      else {
        const { document, weightsStep } = this.#parsed(lineSchema, bytes, where);
        if (this.#places.has(document)) {
          throw this.#broken(where, new Error(`document ${document} is there twice`));
        }
        this.#places.set(document, { offset, length: bytes.length });
        this.#newestStep = Math.max(this.#newestStep, weightsStep);
      }
      this.#end = offset + bytes.length + 1;
    }
    return number > 0;
  }

  /** Whole lines: what stands behind the last line feed was not written whole. */
  async *#lines(): AsyncGenerator<{ readonly bytes: Buffer; readonly offset: number }> {
    let rest = Buffer.alloc(0);
    let offset = 0;
    for (let read = 0; ; ) {
      const chunk = Buffer.alloc(readAtOnce);
      const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, read);
      if (bytesRead === 0) return;
      read += bytesRead;
      rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      for (let end = rest.indexOf(lineFeed); end >= 0; end = rest.indexOf(lineFeed)) {
        yield { bytes: rest.subarray(0, end), offset };
        offset += end + 1;
        rest = rest.subarray(end + 1);
      }
    }
  }

  #parsed<Schema extends z.ZodType>(schema: Schema, bytes: Buffer, where: string): z.output<Schema> {
    try {
      return schema.parse(JSON.parse(bytes.toString()));
    } catch (cause) {
      throw this.#broken(where, cause as Error);
    }
  }

  #broken(where: string, cause: Error): FuseMeshError {
    const reason = cause.message.replaceAll(/\s+/g, ' ').slice(0, 160);
    return new FuseMeshError(
      'data_loss',
      `${this.#path}, ${where}, is broken (${reason}): the run cannot be repeated without it. Put back a copy of the file, or begin the run again with --fresh.`,
      { cause },
    );
  }

  #refuseOther(
    found: { readonly run: string; readonly plan: string },
    meant: { readonly run: string; readonly plan: string },
  ): void {
    if (found.run === meant.run && found.plan === meant.plan) return;
    const other =
      found.run === meant.run ? 'other prompts, corpus or settings of onPolicy' : `run ${found.run}`;
    throw new FuseMeshError(
      'failed_precondition',
      `${this.#path} has rollouts of ${other}: undo the change, begin the run again with --fresh, or name another trainer.output.`,
    );
  }
}

function lineOf({ number, domain, turns, tools, rollout }: Document): WrittenLine {
  if (rollout === undefined) throw new Error(`document ${number} is no rollout`);
  const { prompt, weightsStep, seed, tokens, logProbability, seconds, teacher } = rollout;
  return {
    document: Number(number),
    domain,
    prompt: Number(prompt),
    weightsStep: Number(weightsStep),
    seed,
    tokens,
    logProbability,
    seconds,
    ...(teacher !== '' && { teacher }),
    turns: turns.map(({ role, content, learnt, unfinished, extras }) => ({
      role,
      content,
      ...(learnt && { learnt }),
      ...(unfinished && { unfinished }),
      ...(extras !== '' && { extras }),
    })),
    ...(tools !== '' && { tools }),
  };
}

function documentOf(line: Line): Document {
  const { document, domain, turns, tools, prompt, weightsStep, ...written } = line;
  return create(DocumentSchema, {
    number: BigInt(document),
    domain,
    schemaVersion: 2,
    turns,
    tools,
    rollout: { ...written, prompt: BigInt(prompt), weightsStep: BigInt(weightsStep) },
  });
}
