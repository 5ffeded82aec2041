import type { RunConfig } from '../process/config/schema.ts';
import { BackgroundTasks } from '../process/lifecycle/background-tasks.ts';
import { Notifier } from '../process/lifecycle/notifier.ts';
import type { Log } from '../process/log/log.ts';
import type { CorpusManifest } from '../wire/generated/fusemesh/v1/corpus_pb.ts';
import { connectNats, type NatsConnection } from '../wire/nats/connection.ts';
import { holdRun } from '../wire/nats/hold-run.ts';
import { openRunStreams, type RunStreams } from '../wire/nats/run-streams.ts';
import { Intake } from './intake/intake.ts';
import type { JoinedParts } from './intake/join/join-documents.ts';
import { awaitManifest } from './intake/read/manifest.ts';
import { attachSources } from './intake/sources/attach-sources.ts';
import { detach } from './intake/sources/keep-attached.ts';
import { KeptModels } from './intake/sources/kept-models.ts';
import { unattachedSources } from './intake/sources/source.ts';
import { factsOf, modelOf, recordOfDocument } from './recording/record-of-document.ts';
import { RecordingWriter } from './recording/recording-writer.ts';
import { streamedDocuments } from './streamed-documents.ts';

/** How far a recording has come. */
export interface Recorded {
  /** Documents on disk. */
  readonly documents: number;
  /** Documents of the corpus. */
  readonly total: number;
  /** Of all its files. */
  readonly bytes: number;
  /** Tokens of all sources that this process recorded, and the bytes that they take. */
  readonly tokens: number;
  readonly tokenBytes: number;
}

export interface RecordOptions {
  /** Where the recording is, or will be. */
  readonly directory: string;
  /** When it aborts, what has come is saved, and the recorder leaves. */
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly onProgress?: ((recorded: Recorded) => void) | undefined;
}

/** Longest time between two saves, in milliseconds: what came since the last is asked for again after a kill. */
const saveWithin = 5_000;
const nothing = () => undefined;

/**
 * Stores what the sources of a run say about its corpus, in place of a trainer: attaches them, joins, heals and checks as
 * the trainer does, and releases from the streams what is on disk.
 *
 * @returns undefined when it was stopped before the end
 * @throws FuseMeshError failed_precondition where the directory has a recording of another corpus, or of other settings
 */
export async function recordRun(config: RunConfig, options: RecordOptions): Promise<Recorded | undefined> {
  const { signal, log } = options;
  const notifier = new Notifier();
  const tasks = new BackgroundTasks(signal, notifier);
  const connection = await connectNats(config, `fusemesh record ${config.run}`, { log });
  try {
    const held = await holdRun(connection, config.run, { signal, log });
    tasks.run((signal) => held.watch(signal));
    const streams = openRunStreams(connection, config.run);
    const intake = new Intake(unattachedSources(config), { received: nothing, deadLetter: nothing });
    const recorded = await record(config, options, { connection, streams, intake, tasks, notifier });
    tasks.throwFailure();
    if (recorded === undefined) return undefined;
    await tasks.stop();
    await streams.tellRunOver();
    await Promise.all(intake.sources.map((source) => detach(source, config.run, log)));
    return recorded;
  } finally {
    await tasks.stop();
    await connection.close();
  }
}

interface OpenedRecording {
  readonly connection: NatsConnection;
  readonly streams: RunStreams;
  readonly intake: Intake;
  readonly tasks: BackgroundTasks;
  readonly notifier: Notifier;
}

async function record(
  config: RunConfig,
  { directory, log, onProgress }: RecordOptions,
  opened: OpenedRecording,
): Promise<Recorded | undefined> {
  const { connection, streams, intake, tasks, notifier } = opened;
  const { signal } = tasks;
  await streams.ensure(config.nats);
  tasks.run(() => intake.streams.keepLooking(streams, intake.names, { signal, log, onLook: nothing }));
  const manifest = await awaitManifest(streams, { signal, log });
  if (manifest === undefined) return undefined;
  const facts = factsOf(manifest, config);
  const writer = await RecordingWriter.open(directory, { facts, sources: intake.names });
  try {
    const { recorded: documents } = writer;
    const total = facts.documents;
    log.info(
      { directory, documents, total },
      `${documents} of ${total} documents are recorded in ${directory}`,
    );
    const tally = new Tally(writer);
    onProgress?.(tally.recorded);
    if (documents < total) {
      const known = { run: config.run, corpusSha256: writer.facts.corpusSha256 };
      const models = await KeptModels.recall(directory, known, intake.sources);
      attachSources(config, intake.sources, { connection, models, tasks, notifier, log });
      await writeDocuments(config, { ...opened, manifest, writer, tally, log, onProgress });
    }
    return writer.recorded < total ? undefined : tally.recorded;
  } finally {
    await writer.close();
  }
}

/** Writes what comes, until the corpus is at its end or it is stopped. */
async function writeDocuments(
  { run, topK, topP, trainer, nats }: RunConfig,
  {
    manifest,
    writer,
    tally,
    onProgress,
    ...opened
  }: OpenedRecording &
    Pick<RecordOptions, 'log' | 'onProgress'> & {
      readonly manifest: CorpusManifest;
      readonly writer: RecordingWriter;
      readonly tally: Tally;
    },
): Promise<void> {
  const { sources } = opened.intake;
  const streamed = await streamedDocuments(
    {
      ...opened,
      run,
      manifest,
      batchDocuments: trainer.batchDocuments,
      from: writer.recorded,
      until: writer.facts.documents,
      topK,
      topP,
      join: trainer.join,
      metrics: { joined: nothing, joinedWithout: nothing, waitedFor: nothing },
      keep: async (parts) => {
        tally.add(parts);
        await writer.append(recordOfDocument(parts, sources));
      },
    },
    (source, tokenizer) => writer.hears(source.name, modelOf(source, tokenizer), tokenizer.json),
  );
  if (streamed === undefined) return;
  const save = async () => {
    await writer.save();
    await streamed.cover(writer.recorded);
    onProgress?.(tally.recorded);
  };
  let savedAt = performance.now();
  for await (const _ of streamed.documents) {
    const waiting = writer.appended - writer.recorded;
    if (waiting < nats.maxDocuments / 4 && performance.now() - savedAt < saveWithin) continue;
    await save();
    savedAt = performance.now();
  }
  await save();
}

/** Counts what a process records. */
class Tally {
  readonly #writer: RecordingWriter;
  readonly #bytesBefore: number;
  #tokens = 0;

  constructor(writer: RecordingWriter) {
    this.#writer = writer;
    this.#bytesBefore = writer.distributionBytes;
  }

  add({ distributions }: JoinedParts): void {
    for (const part of distributions) this.#tokens += part?.distribution.tokenIds.length ?? 0;
  }

  get recorded(): Recorded {
    const { recorded: documents, facts, bytes, distributionBytes } = this.#writer;
    const tokenBytes = distributionBytes - this.#bytesBefore;
    return { documents, total: facts.documents, bytes, tokens: this.#tokens, tokenBytes };
  }
}
