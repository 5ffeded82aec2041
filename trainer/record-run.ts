import type { RunConfig } from '../process/config/schema.ts';
import { BackgroundTasks } from '../process/lifecycle/background-tasks.ts';
import { Notifier } from '../process/lifecycle/notifier.ts';
import type { Log } from '../process/log/log.ts';
import { connectNats } from '../wire/nats/connection.ts';
import { holdRun } from '../wire/nats/hold-run.ts';
import { openRunStreams } from '../wire/nats/run-streams.ts';
import { Intake } from './intake/intake.ts';
import type { JoinedParts } from './intake/join/join-documents.ts';
import { awaitManifest } from './intake/read/manifest.ts';
import { attachSources } from './intake/sources/attach-sources.ts';
import { detach } from './intake/sources/keep-attached.ts';
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
  readonly onProgress?: (recorded: Recorded) => void;
}

/** Longest time between two saves, in milliseconds: what came since the last is asked for again after a kill. */
const saveWithin = 5_000;

/**
 * Stores what the sources of a run say about its corpus, in place of a trainer: attaches them, joins, heals and checks as
 * the trainer does, and releases from the streams what is on disk.
 *
 * @returns undefined when it was stopped before the end
 * @throws FuseMeshError failed_precondition where the directory has a recording of another corpus, or of other settings
 */
export async function recordRun(
  config: RunConfig,
  { directory, signal, log, onProgress }: RecordOptions,
): Promise<Recorded | undefined> {
  const { run, topK, trainer } = config;
  const notifier = new Notifier();
  const tasks = new BackgroundTasks(signal, notifier);
  const nothing = () => undefined;
  const intake = new Intake(unattachedSources(config), { received: nothing, deadLetter: nothing });
  const { sources } = intake;
  const connection = await connectNats(config, `fusemesh record ${run}`, { log });
  let writer: RecordingWriter | undefined;
  try {
    const held = await holdRun(connection, run, { signal, log });
    tasks.run((signal) => held.watch(signal));
    const streams = openRunStreams(connection, run);
    await streams.ensure(config.nats);
    tasks.run((signal) =>
      intake.streams.keepLooking(streams, intake.names, { signal, log, onLook: nothing }),
    );
    const manifest = await awaitManifest(streams, { signal: tasks.signal, log });
    if (manifest === undefined) return stopped(tasks);
    writer = await RecordingWriter.open(directory, {
      facts: factsOf(manifest, config),
      sources: intake.names,
    });
    const { recorded: from } = writer;
    const total = Number(manifest.documents);
    log.info(
      { directory, documents: from, total },
      `${from} of ${total} documents are recorded in ${directory}`,
    );

    let [tokens, tokenBytes] = [0, 0];
    const open = writer;
    const recorded = (): Recorded => ({
      documents: open.recorded,
      total,
      bytes: open.bytes,
      tokens,
      tokenBytes,
    });
    onProgress?.(recorded());
    if (from < total) attachSources(config, sources, { connection, tasks, notifier, log });
    const streamed =
      from < total &&
      (await streamedDocuments(
        {
          run,
          manifest,
          batchDocuments: trainer.batchDocuments,
          from,
          until: total,
          topK,
          join: trainer.join,
          streams,
          intake,
          tasks,
          notifier,
          metrics: { joined: nothing, joinedWithout: nothing, waitedFor: nothing },
          keep: async (parts: JoinedParts) => {
            const record = recordOfDocument(parts, sources);
            for (const part of parts.distributions) tokens += part?.distribution.tokenIds.length ?? 0;
            for (const bytes of record.distributions) tokenBytes += bytes?.length ?? 0;
            await open.append(record);
          },
          log,
        },
        (source, tokenizer) => open.hears(source.name, modelOf(source, tokenizer), tokenizer.json),
      ));
    if (streamed) {
      const save = async () => {
        await open.save();
        await streamed.cover(open.recorded);
        onProgress?.(recorded());
      };
      let savedAt = performance.now();
      for await (const _ of streamed.documents) {
        const waiting = open.appended - open.recorded;
        const isDue = performance.now() - savedAt >= saveWithin || waiting >= config.nats.maxDocuments / 4;
        if (!isDue) continue;
        await save();
        savedAt = performance.now();
      }
      await save();
    }
    if (open.recorded < total) return stopped(tasks);
    await tasks.stop();
    await Promise.all([streams.tellRunOver(), ...sources.map((source) => detach(source, run, log))]);
    return recorded();
  } finally {
    await tasks.stop();
    await writer?.close();
    await connection.close();
  }
}

function stopped(tasks: BackgroundTasks): undefined {
  tasks.throwFailure();
  return undefined;
}
