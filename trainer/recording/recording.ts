import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { ChatTemplate } from '../../model/chat/chat-template.ts';
import { ContentEncoder } from '../../model/chat/content-encoder.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { PartReader } from './part-reader.ts';
import { type RecordedModel, type RecordingFacts, readRecord } from './recording-facts.ts';
import { documentsPart, sourcePart, tokenizerPath } from './recording-files.ts';

/** A source of a recording. */
export interface RecordedSource {
  readonly name: string;
  /** Undefined of one that never answered. */
  readonly model: RecordedModel | undefined;
  /** How it reads documents. */
  readonly encoder: ContentEncoder | undefined;
  /**
   * The message of what it says about a document; undefined where it said nothing.
   *
   * @throws FuseMeshError data_loss where that is damaged
   */
  read(document: number): Promise<Uint8Array | undefined>;
}

/** What a run's sources have said about its corpus, on disk. It is only read: by any number of runs at once. */
export class Recording {
  readonly directory: string;
  readonly facts: RecordingFacts;
  readonly sources: readonly RecordedSource[];
  readonly #documents: PartReader;
  readonly #parts: readonly PartReader[];

  private constructor(
    directory: string,
    facts: RecordingFacts,
    parts: readonly [PartReader, ...PartReader[]],
    sources: readonly RecordedSource[],
  ) {
    this.directory = directory;
    this.facts = facts;
    this.sources = sources;
    [this.#documents] = parts;
    this.#parts = parts;
  }

  /**
   * @param names of the sources that are read, in that order; left out, all
   * @throws FuseMeshError not_found where there is no recording or no such source, failed_precondition where it is not
   *   finished, data_loss where it is damaged
   */
  static async open(directory: string, names?: readonly string[]): Promise<Recording> {
    const record = await readRecord(directory);
    if (record === undefined) {
      throw new FuseMeshError(
        'not_found',
        `There is no recording in ${directory}: \`fusemesh record\` makes one.`,
      );
    }
    const { facts, recorded, indexes } = record;
    if (recorded < facts.documents) {
      throw new FuseMeshError(
        'failed_precondition',
        `The recording in ${directory} has ${recorded} of ${facts.documents} documents: \`fusemesh record\` goes on with it.`,
      );
    }
    const wanted = (names ?? record.sources.map(({ name }) => name)).map((wantedName) => {
      const source = record.sources.find(({ name }) => name === wantedName);
      if (source) return source;
      const known = record.sources.map(({ name }) => name).join(', ');
      throw new FuseMeshError(
        'not_found',
        `The recording in ${directory} has no source "${wantedName}"; it has ${known}: correct teachers, or leave them out.`,
      );
    });
    const openPart = (part: string) =>
      PartReader.open(directory, part, { records: recorded, sha256: indexes[part] });
    const documents = await openPart(documentsPart);
    const sources: RecordedSource[] = [];
    const parts: PartReader[] = [];
    for (const { name, model } of wanted) {
      const part = await openPart(sourcePart(name));
      parts.push(part);
      sources.push({
        name,
        model: model ?? undefined,
        encoder: model ? await readEncoder(directory, name, model) : undefined,
        read: (document) => part.read(document),
      });
    }
    return new Recording(directory, facts, [documents, ...parts], sources);
  }

  /**
   * The message that a document came in; undefined of one that could not be used.
   *
   * @throws FuseMeshError data_loss where it is damaged
   */
  read(document: number): Promise<Uint8Array | undefined> {
    return this.#documents.read(document);
  }

  async close(): Promise<void> {
    for (const part of this.#parts) await part.close();
  }
}

async function readEncoder(
  directory: string,
  name: string,
  { tokenizerSha256, chatFormat }: RecordedModel,
): Promise<ContentEncoder> {
  const path = tokenizerPath(directory, tokenizerSha256);
  const tokenizer = await Tokenizer.fromFile(path);
  if (Buffer.from(tokenizer.fingerprint).toString('hex') === tokenizerSha256) {
    return new ContentEncoder(tokenizer, ChatTemplate.of(chatFormat, name));
  }
  throw new FuseMeshError('data_loss', `${path} is not what was written: record the corpus again.`);
}
