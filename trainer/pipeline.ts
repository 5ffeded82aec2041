import type { SourceRelation } from '../fusion/batch/assemble-batch.ts';
import { type BatchRules, batchesOf, type FusedBatch } from '../fusion/batch/batches.ts';
import type { JoinedDocument, UsableDocument } from '../fusion/batch/joined-document.ts';
import type { RolloutRules } from '../fusion/batch/rollout-problem.ts';
import type { Fusion } from '../fusion/fusion-of-run.ts';
import { relateSource } from '../fusion/relate-source.ts';
import { ChatTemplate } from '../model/chat/chat-template.ts';
import { ContentEncoder } from '../model/chat/content-encoder.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { Log } from '../process/log/log.ts';
import type { StreamedDocument } from './intake/join/join-documents.ts';
import { JoinJournal } from './intake/join/join-journal.ts';
import { putDocumentAside } from './intake/read/read-documents.ts';
import { keepTokenizer } from './intake/sources/kept-tokenizers.ts';
import type { Source } from './intake/sources/source.ts';
import { type StreamedRun, streamedDocuments } from './streamed-documents.ts';

/** What decides which batches are made. */
export interface BatchSettings {
  readonly batchDocuments: number;
  readonly contextLength: number;
  /** How the target reads documents. */
  readonly encoder: ContentEncoder;
  readonly fusion: Fusion;
}

/** A run that is streamed, and the directory that its join is written down in. */
export interface StreamedBatchesRun extends StreamedRun, BatchSettings {
  readonly output: string;
  /** Called once for each source, when its tokenizer is known and before anything of it is read. */
  readonly takeIn?: ((source: Source, tokenizer: Tokenizer) => Promise<void>) | undefined;
  /** Which documents that the target wrote the first batch may hold; each further one is of the next step. */
  readonly rollouts?: RolloutRules | undefined;
}

/** Batches of a run, made while its streams bring in what they are made of. */
export interface StreamedBatches {
  /** In order; fewer when it is aborted. */
  readonly batches: AsyncGenerator<FusedBatch>;
  /** Of the sources whose tokenizers were known when it began. */
  readonly encoders: readonly ContentEncoder[];
  /** A checkpoint covers the documents before this one: they are released, which makes room in the streams. */
  cover(documents: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * From the streams of a run to batches: read ahead → heal what is lost → join → align and fuse → batch.
 *
 * @returns undefined when it is stopped before enough sources are there
 */
export async function streamedBatches(run: StreamedBatchesRun): Promise<StreamedBatches | undefined> {
  const { intake, manifest, log } = run;
  const { sources } = intake;
  const journal = await openJournal(run, Buffer.from(manifest.sha256).toString('hex'));
  const relations = new Map<string, SourceRelation>();
  const streamed = await streamedDocuments(
    { ...run, joinedBefore: journal?.sourcesOf },
    async (source, tokenizer) => {
      if (journal) await keepTokenizer(run.output, source, tokenizer);
      await run.takeIn?.(source, tokenizer);
      const { name } = source;
      const encoder = encoderOf(source, tokenizer);
      relations.set(name, await relateSource(name, encoder, run.encoder, run.fusion, log));
    },
  );
  if (streamed === undefined) {
    await journal?.close();
    return undefined;
  }

  // Align, fuse and batch.
  const { documents, tokenizers, deadLetters } = streamed;
  const batches = fusedBatches<StreamedDocument>(documents, run, {
    relations: () => sources.map(({ name }) => relations.get(name)),
    passOver: async ({ number, message }, reason) => {
      log.warn({ document: number }, `Document ${number} is passed over: ${reason}`);
      if (message) await putDocumentAside(message, reason, deadLetters);
    },
    rollouts: run.rollouts,
    signal: run.tasks.signal,
  });
  return {
    batches: journal ? journaled(batches, journal, intake.names) : batches,
    encoders: sources.flatMap((source, s) => {
      const tokenizer = tokenizers[s];
      return tokenizer ? [encoderOf(source, tokenizer)] : [];
    }),
    cover: (covered) => streamed.cover(covered),
    close: async () => journal?.close(),
  };
}

const encoderOf = ({ name, chatFormat }: Source, tokenizer: Tokenizer): ContentEncoder =>
  new ContentEncoder(tokenizer, ChatTemplate.of(chatFormat, name));

/** A run whose distributions are at hand already: nothing is streamed. */
export interface RecordedRun extends BatchSettings {
  /** In the order of the documents' distributions; undefined of one that has said nothing. */
  readonly sources: readonly { readonly name: string; readonly encoder: ContentEncoder | undefined }[];
  /** Called for a document that is longer than the context, or that the target wrote and nobody judges. */
  readonly passOver: (document: UsableDocument, reason: string) => Promise<void>;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * What {@link streamedBatches} does after the join, for recorded documents.
 *
 * @returns a function that makes batches of documents, in order; of each pass over them its own
 */
export async function recordedBatches(
  run: RecordedRun,
): Promise<(documents: AsyncIterable<JoinedDocument>) => AsyncGenerator<FusedBatch>> {
  const { sources, encoder: target, fusion, passOver, signal, log } = run;
  const relations = await Promise.all(
    sources.map(async ({ name, encoder }) => encoder && relateSource(name, encoder, target, fusion, log)),
  );
  return (documents) => fusedBatches(documents, run, { relations: () => relations, passOver, signal });
}

/** Joined documents, aligned and fused. */
function fusedBatches<Usable extends UsableDocument>(
  documents: AsyncIterable<JoinedDocument<Usable>>,
  { batchDocuments, contextLength, encoder, fusion: { candidates, settings } }: BatchSettings,
  {
    relations,
    passOver,
    rollouts,
    signal,
  }: Pick<BatchRules<Usable>, 'relations' | 'passOver' | 'rollouts' | 'signal'>,
): AsyncGenerator<FusedBatch> {
  return batchesOf(documents, {
    batchDocuments,
    contextLength,
    candidates,
    encoder,
    relations,
    settings,
    passOver,
    rollouts,
    signal,
  });
}

/** Records which sources each document was joined with; undefined where that is always all of them. */
async function openJournal(
  { run, join, output, from, intake, log }: StreamedBatchesRun,
  corpusSha256: string,
): Promise<JoinJournal | undefined> {
  if (join === 'all') return undefined;
  return JoinJournal.open(output, { run, corpusSha256, from, sources: intake.names }, log);
}

/**
 * Passes each batch on once the journal on disk says which sources its documents were joined with. Documents that are
 * passed over because a source cannot score them are in it too: with other sources they would be learnt from.
 */
async function* journaled(
  batches: AsyncIterable<FusedBatch>,
  journal: JoinJournal,
  sources: readonly string[],
): AsyncGenerator<FusedBatch> {
  for await (const batch of batches) {
    await journal.write(
      batch.joined.map(({ document, present }) => ({ document, sources: present.map((s) => sources[s]) })),
    );
    yield batch;
  }
}
