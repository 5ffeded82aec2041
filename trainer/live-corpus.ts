import { rm } from 'node:fs/promises';
import type { FusedBatch } from '../fusion/batch/batches.ts';
import type { RunConfig } from '../process/config/schema.ts';
import type { BackgroundTasks } from '../process/lifecycle/background-tasks.ts';
import type { CorpusManifest } from '../wire/generated/fusemesh/v1/corpus_pb.ts';
import { connectNats, type NatsConnection } from '../wire/nats/connection.ts';
import { holdRun } from '../wire/nats/hold-run.ts';
import { readinessByConnection } from '../wire/nats/readiness-by-connection.ts';
import { openRunStreams, type RunStreams } from '../wire/nats/run-streams.ts';
import type { JoinedParts } from './intake/join/join-documents.ts';
import { awaitManifest } from './intake/read/manifest.ts';
import type { Arrivals } from './intake/read/read-documents.ts';
import { attachSources } from './intake/sources/attach-sources.ts';
import { detach } from './intake/sources/keep-attached.ts';
import { KeptModels } from './intake/sources/kept-models.ts';
import { recallTokenizers } from './intake/sources/kept-tokenizers.ts';
import { keptDirectory, openKeptRecording, refuseTooLarge } from './kept-recording.ts';
import type { Stretch } from './passes.ts';
import { type BatchSettings, type StreamedBatches, streamedBatches } from './pipeline.ts';
import { batchesOfRecording, type RecordedTraining } from './recorded-corpus.ts';
import { modelOf, recordOfDocument } from './recording/record-of-document.ts';
import { Recording } from './recording/recording.ts';
import type { RecordingWriter } from './recording/recording-writer.ts';
import { registerTrainer } from './report/register-trainer.ts';
import type { CorpusOfRun, RunBatches, RunCorpus } from './run-corpus.ts';
import type { TrainerParts } from './trainer-parts.ts';

export interface LiveParts extends TrainerParts {
  readonly tasks: BackgroundTasks;
  readonly settings: BatchSettings;
}

/**
 * The corpus of a run whose teachers are asked: documents and distributions come by NATS. Where it is taken more than
 * once, what is heard in the first pass is kept on disk, and later passes read it there.
 */
export class LiveCorpus implements RunCorpus {
  readonly #config: RunConfig;
  readonly #parts: LiveParts;
  readonly #connection: NatsConnection;
  readonly #streams: RunStreams;
  #manifest: CorpusManifest | undefined;

  private constructor(config: RunConfig, parts: LiveParts, connection: NatsConnection) {
    this.#config = config;
    this.#parts = parts;
    this.#connection = connection;
    this.#streams = openRunStreams(connection, config.run);
  }

  static async open(config: RunConfig, parts: LiveParts): Promise<LiveCorpus> {
    const connection = await connectNats(config, `fusemesh trainer ${config.run}`, {
      log: parts.log,
      onEvent: readinessByConnection(parts.readiness, parts.onNats),
    });
    try {
      const held = await holdRun(connection, config.run, parts);
      parts.tasks.run((signal) => held.watch(signal));
      await registerTrainer(connection, parts);
    } catch (error) {
      await connection.close();
      throw error;
    }
    return new LiveCorpus(config, parts, connection);
  }

  async describe(): Promise<CorpusOfRun | undefined> {
    const { intake, metrics, tasks, log } = this.#parts;
    const onLook = metrics.watched.bind(metrics);
    const streams = this.#streams;
    await streams.ensure(this.#config.nats);
    tasks.run((signal) => intake.streams.keepLooking(streams, intake.names, { signal, log, onLook }));
    this.#manifest = await awaitManifest(streams, { signal: tasks.signal, log });
    if (this.#manifest === undefined) return undefined;
    const { documents, sha256 } = this.#manifest;
    return { documents: Number(documents), sha256: Buffer.from(sha256).toString('hex') };
  }

  async batches(
    stretches: readonly Stretch[],
    firstStep: number,
    arrivals?: Arrivals,
  ): Promise<RunBatches | undefined> {
    const manifest = this.#manifest!;
    const first = stretches.find(({ epoch }) => epoch === 0);
    const later = stretches.filter(({ epoch }) => epoch > 0);
    const begin = first?.begin ?? Number(manifest.documents);
    const writer =
      later.length > 0
        ? await openKeptRecording(this.#config, {
            manifest,
            sources: this.#parts.intake.sources,
            from: begin,
          })
        : undefined;
    const streamed = first && (await this.#streamed(manifest, first, { firstStep, writer, arrivals }));
    // What a source has said is there, and nobody waits for it.
    if (!first) for (const { named } of this.#parts.intake.sources) named.attached = true;
    if (first && !streamed) {
      await writer?.close();
      return undefined;
    }
    let recording: Recording | undefined;
    const openRecording = async () => {
      await writer!.save();
      recording ??= await Recording.open(keptDirectory(this.#config));
      return recording;
    };
    return {
      batches: this.#passes(streamed, later, openRecording),
      encoders: streamed?.encoders ?? (await openRecording()).sources.flatMap(({ encoder }) => encoder ?? []),
      keep: async () => writer?.save(),
      cover: async (documents) => streamed?.cover(Math.min(documents, Number(manifest.documents))),
      close: async () => {
        await streamed?.close();
        await writer?.close();
        await recording?.close();
      },
    };
  }

  async over(): Promise<void> {
    const { intake, tasks, log } = this.#parts;
    const { run } = this.#config;
    // Every teacher may work for other runs.
    await tasks.stop();
    await Promise.all([
      this.#streams.tellRunOver(),
      ...intake.sources.map((source) => detach(source, run, log)),
    ]);
    await rm(keptDirectory(this.#config), { recursive: true, force: true });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** Attaches the sources, and trains on what they say; undefined when stopped before. */
  async #streamed(
    manifest: CorpusManifest,
    { begin, end }: Stretch,
    {
      firstStep,
      writer,
      arrivals,
    }: {
      readonly firstStep: number;
      readonly writer: RecordingWriter | undefined;
      readonly arrivals: Arrivals | undefined;
    },
  ): Promise<StreamedBatches | undefined> {
    const config = this.#config;
    const { settings, intake, metrics, tasks, notifier, log } = this.#parts;
    const { run, topK, topP, trainer, onPolicy } = config;
    const { sources } = intake;
    if (trainer.join !== 'all') await recallTokenizers(trainer.output, sources);
    const corpusSha256 = Buffer.from(manifest.sha256).toString('hex');
    const models = await KeptModels.recall(trainer.output, { run, corpusSha256 }, sources);
    attachSources(config, sources, { connection: this.#connection, models, tasks, notifier, log });
    const keep = async (parts: JoinedParts) => {
      await writer!.append(recordOfDocument(parts, sources));
      refuseTooLarge(writer!, trainer.recordingBytes);
    };
    return streamedBatches({
      ...settings,
      run,
      manifest,
      from: begin,
      until: end,
      topK,
      topP,
      join: trainer.join,
      output: trainer.output,
      streams: this.#streams,
      intake,
      tasks,
      notifier,
      metrics,
      arrivals,
      takeIn: async (source, tokenizer) =>
        writer?.hears(source.name, modelOf(source, tokenizer), tokenizer.json),
      keep: writer && keep,
      rollouts: onPolicy && { step: firstStep, staleness: onPolicy.staleness },
      log,
    });
  }

  async *#passes(
    streamed: StreamedBatches | undefined,
    later: readonly Stretch[],
    openRecording: () => Promise<Recording>,
  ): AsyncGenerator<FusedBatch> {
    const { settings, metrics, tasks, log } = this.#parts;
    const { seed, topK, topP, trainer } = this.#config;
    if (streamed) yield* streamed.batches;
    if (later.length === 0 || tasks.signal.aborted) return;
    const { signal } = tasks;
    const training: RecordedTraining = {
      ...settings,
      seed,
      topK,
      topP,
      epochs: trainer.epochs,
      metrics,
      signal,
      log,
    };
    yield* batchesOfRecording(await openRecording(), later, training);
  }
}
