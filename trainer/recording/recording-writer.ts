import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { onDisk } from '../../errors/on-disk.ts';
import { replaceDurably } from '../../model/export/durable-files.ts';
import { packRecord } from './pack-record.ts';
import { PartWriter } from './part-writer.ts';
import {
  type RecordedModel,
  type RecordingFacts,
  type RecordingRecord,
  readRecord,
  writeRecord,
} from './recording-facts.ts';
import { documentsPart, sourcePart, tokenizerPath } from './recording-files.ts';

/** What is recorded of a document, as the bytes of the wire's messages. */
export interface DocumentRecord {
  /** Undefined where it could not be used. */
  readonly document: Uint8Array | undefined;
  /** In the order of the sources; undefined of one that said nothing. */
  readonly distributions: readonly (Uint8Array | undefined)[];
}

/** What a recording is of, and whom it hears. */
interface WantedRecording {
  readonly facts: RecordingFacts;
  /** Names, in their order. */
  readonly sources: readonly string[];
  /** Documents that are kept of a recording that is there; left out, all. */
  readonly from?: number;
}

/** Bytes that are held before they are written. */
const writeAfter = 1 << 20;

/**
 * Writes a recording: for each document, in the order of the numbers, the message that it came in and those of what the
 * sources say about it. A writer that was killed goes on behind what was saved last.
 */
export class RecordingWriter {
  readonly #directory: string;
  readonly #parts: readonly PartWriter[];
  #record: RecordingRecord;
  #appended: number;
  #saving: Promise<void> = Promise.resolve();

  private constructor(directory: string, parts: readonly PartWriter[], record: RecordingRecord) {
    this.#directory = directory;
    this.#parts = parts;
    this.#record = record;
    this.#appended = record.recorded;
  }

  /**
   * Begins a recording, or goes on with the one that is there.
   *
   * @throws FuseMeshError failed_precondition where another one is there or it has fewer than `from` documents, data_loss
   *   where it is damaged
   */
  static async open(directory: string, { facts, sources, from }: WantedRecording): Promise<RecordingWriter> {
    const found = await readRecord(directory);
    if (found) refuseOther(directory, found, facts, sources);
    const known = found?.recorded ?? 0;
    const records = from ?? known;
    if (records > known) {
      throw new FuseMeshError(
        'failed_precondition',
        `The recording in ${directory} has ${known} documents, ${records} are needed: begin the run again with --fresh.`,
      );
    }
    return onDisk(directory, async () => {
      const parts: PartWriter[] = [];
      for (const part of [documentsPart, ...sources.map(sourcePart)]) {
        const saved = { records: known, sha256: found?.indexes[part] };
        await mkdir(dirname(`${directory}/${part}`), { recursive: true });
        parts.push(await PartWriter.open(directory, part, saved, records));
      }
      const record: RecordingRecord = {
        version: 1,
        facts,
        sources: found?.sources ?? sources.map((name) => ({ name, model: null })),
        recorded: records,
        indexes: indexesOf(parts),
      };
      // What it no longer vouches for goes afterwards, so that a kill in between damages nothing.
      await writeRecord(directory, record);
      for (const part of parts) await part.cutOff();
      return new RecordingWriter(directory, parts, record);
    });
  }

  /** Documents that were appended. */
  get appended(): number {
    return this.#appended;
  }

  /** Documents that are on disk. */
  get recorded(): number {
    return this.#record.recorded;
  }

  get facts(): RecordingFacts {
    return this.#record.facts;
  }

  /** Of all records. */
  get bytes(): number {
    return this.#parts.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Of what the sources say. */
  get distributionBytes(): number {
    return this.bytes - this.#parts[0].bytes;
  }

  /**
   * What a source's model is: to be told before what it says is appended.
   *
   * @param json its tokenizer.json
   * @throws FuseMeshError failed_precondition where the recording has another model under that name
   */
  async hears(name: string, model: RecordedModel, json: Uint8Array): Promise<void> {
    const known = this.#record.sources.find((one) => one.name === name)?.model;
    if (known && !isSameModel(known, model)) {
      const what = known.tokenizerSha256 === model.tokenizerSha256 ? 'model' : 'tokenizer';
      throw new FuseMeshError(
        'failed_precondition',
        `The recording in ${this.#directory} has another ${what} as "${name}": name another directory, or remove it.`,
      );
    }
    const path = tokenizerPath(this.#directory, model.tokenizerSha256);
    await onDisk(path, async () => {
      await mkdir(dirname(path), { recursive: true });
      await replaceDurably(path, json);
    });
    const { modelFingerprint = null } = known ?? {};
    const heard = { ...model, modelFingerprint: modelFingerprint ?? model.modelFingerprint };
    const sources = this.#record.sources.map((one) => (one.name === name ? { name, model: heard } : one));
    this.#record = { ...this.#record, sources };
  }

  /** Takes in the next document, when the one before is taken in. Once {@link save} returns, it is on disk. */
  async append({ document, distributions }: DocumentRecord): Promise<void> {
    const records = await Promise.all(
      [document, ...distributions].map((bytes) => bytes && packRecord(bytes)),
    );
    for (const [p, part] of this.#parts.entries()) part.append(records[p]);
    this.#appended++;
    const waiting = this.#parts.reduce((sum, { waitingBytes }) => sum + waitingBytes, 0);
    if (waiting >= writeAfter) await this.#alone(() => this.#write());
  }

  /** Returns when all that was appended before is on disk. */
  save(): Promise<void> {
    return this.#alone(async () => {
      if (this.#appended === this.#record.recorded) return;
      const recorded = this.#appended;
      await this.#write();
      for (const part of this.#parts) await part.sync();
      const record = { ...this.#record, recorded, indexes: indexesOf(this.#parts) };
      await writeRecord(this.#directory, record);
      this.#record = { ...record, sources: this.#record.sources };
    });
  }

  /** What was not saved is lost. */
  async close(): Promise<void> {
    await this.#saving.catch(() => undefined);
    for (const part of this.#parts) await part.close();
  }

  /** All parts end at the same document. */
  async #write(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.write()));
  }

  #alone(work: () => Promise<void>): Promise<void> {
    const turn = this.#saving.catch(() => undefined).then(() => onDisk(this.#directory, work));
    this.#saving = turn;
    return turn;
  }
}

const isSameModel = (a: RecordedModel, b: RecordedModel): boolean =>
  a.tokenizerSha256 === b.tokenizerSha256 &&
  a.vocabularySize === b.vocabularySize &&
  isDeepStrictEqual(a.chatFormat, b.chatFormat) &&
  (a.modelFingerprint === null || b.modelFingerprint === null || a.modelFingerprint === b.modelFingerprint);

const indexesOf = (parts: readonly PartWriter[]): Record<string, string> =>
  Object.fromEntries(parts.map(({ part, indexSha256 }) => [part, indexSha256]));

function refuseOther(
  directory: string,
  found: RecordingRecord,
  wanted: RecordingFacts,
  sources: readonly string[],
): void {
  const names = found.sources.map(({ name }) => name);
  const differences = [
    ...Object.entries(wanted)
      .filter(([key, value]) => found.facts[key as keyof RecordingFacts] !== value)
      .map(([key, value]) => `${key} ${found.facts[key as keyof RecordingFacts] ?? 'none'} and not ${value}`),
    ...(names.join() === sources.join() ? [] : [`sources ${names.join(', ')} and not ${sources.join(', ')}`]),
  ];
  if (differences.length === 0) return;
  throw new FuseMeshError(
    'failed_precondition',
    `The recording in ${directory} has ${differences[0]}: name another directory, or remove it.`,
  );
}
