import { hash } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { ContentEncoder } from '../../model/chat/content-encoder.ts';
import type { Content } from '../../model/chat/conversation.ts';
import { textsOf } from '../../process/config/corpus-of-run.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import type { Log } from '../../process/log/log.ts';
import { SkippedRows } from '../../texts/skipped-rows.ts';
import { type Document, DocumentSchema } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { CorpusWriter } from './corpus-writer.ts';
import { type CorpusFile, cutCorpus, findCorpusFiles } from './cut-corpus.ts';
import { holdDirectory } from './hold-directory.ts';
import { noText } from './no-text.ts';
import { openStored, type StoredCorpus } from './stored-corpus.ts';

export interface Preparation {
  /** Where the documents are kept. */
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Called with how many texts became no document, by reason. */
  readonly onSkipped?: ((counts: Readonly<Record<string, number>>) => void) | undefined;
  /** Called with how many bytes of the corpus's files are read, and of how many. */
  readonly onRead?: ((read: number, all: number) => void) | undefined;
  /** Bytes of documents between two places that cutting can go on from, 16 MiB by default. */
  readonly saveEvery?: number;
}

/**
 * The documents of a run on disk: cut, and in their order. What was cut before is not cut again, be it all or a part,
 * as long as texts, tokenizers, chat templates, context and seed are the same.
 *
 * @param encoders of all models of the run
 * @throws FuseMeshError cancelled when aborted, invalid_argument where the corpus has no text
 */
export async function prepareCorpus(
  config: Pick<RunConfig, 'corpus' | 'contextLength' | 'seed'>,
  encoders: readonly ContentEncoder[],
  preparation: Preparation,
): Promise<StoredCorpus> {
  const { directory, signal, log, onSkipped } = preparation;
  const { contextLength, seed } = config;
  const files = await findCorpusFiles(textsOf(config));
  const key = JSON.stringify({
    version: 1,
    files,
    ...modelsKey(encoders),
    contextLength,
    seed,
  });
  return holdDirectory(directory, signal, async () => {
    const { documents, skipped } = await openStored(directory, { key, contextLength }, () =>
      cutToDisk(files, { ...preparation, key, config, encoders }),
    );
    onSkipped?.(skipped.counts);
    if (skipped.count > 0) log.warn({ skipped: skipped.counts }, skipped.sentence());
    return documents;
  }).catch((cause: unknown) => {
    throw cannotBeKept('The cut corpus', directory, cause);
  });
}

/** @param what cannot be kept: "The cut corpus" */
export function cannotBeKept(what: string, directory: string, cause: unknown): unknown {
  const { syscall, code } = cause as NodeJS.ErrnoException;
  if (cause instanceof FuseMeshError || syscall === undefined) return cause;
  return new FuseMeshError(
    'failed_precondition',
    `${what} cannot be kept in ${directory} (${code}): make room there, or choose another trainer.output.`,
    { cause },
  );
}

/** How all models read. Conversations depend on the templates too; base models have none. */
export function modelsKey(encoders: readonly ContentEncoder[]): {
  readonly tokenizers: readonly string[];
  readonly templates?: string;
} {
  const tokenizers = encoders.map(({ tokenizer }) => Buffer.from(tokenizer.fingerprint).toString('hex'));
  const formats = encoders.map(({ template: { format } }) => format);
  if (formats.every(({ template }) => template === '')) return { tokenizers };
  return { tokenizers, templates: hash('sha256', JSON.stringify(formats)) };
}

async function cutToDisk(
  files: readonly CorpusFile[],
  {
    key,
    config,
    encoders,
    directory,
    signal,
    log,
    onRead,
    saveEvery = 16 * 1024 * 1024,
  }: Preparation & {
    readonly key: string;
    readonly config: Pick<RunConfig, 'corpus' | 'contextLength' | 'seed'>;
    readonly encoders: readonly ContentEncoder[];
  },
): Promise<void> {
  const { contextLength, seed } = config;
  const all = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const domains = [...new Set(textsOf(config).map(({ domain }) => domain))];
  const writer = await CorpusWriter.open(directory, key);
  try {
    const { position: from, skipped: skippedBefore } = writer.journal;
    const { documents } = writer.journal;
    if (from !== undefined) log.info({ documents }, `Cutting goes on behind ${documents} documents`);
    const skipped = new SkippedRows(skippedBefore);
    let saved = writer.journal.bytes;
    const cutting = { encoders, contextLength, signal, ...(from && { from }) };
    for await (const { domain, pieces, skipped: rows, after, read } of cutCorpus(files, cutting)) {
      for (const row of rows) skipped.add(row);
      for (const { content, bytes: textBytes } of pieces) {
        const bytes = toBinary(DocumentSchema, documentOf(domain, content));
        await writer.append(domains.indexOf(domain), bytes, textBytes);
      }
      onRead?.(read, all);
      const isEnd = after.file === files.length;
      if (isEnd || writer.journal.bytes - saved >= saveEvery) {
        await writer.save(after, skipped);
        saved = writer.journal.bytes;
      }
    }
    if (writer.journal.documents === 0) {
      throw noText(skipped);
    }
    await writer.finish(seed);
  } catch (error) {
    await writer.close().catch(() => undefined);
    throw error;
  }
}

/** A document without its number. */
export function documentOf(domain: string, content: Content): Document {
  if (typeof content === 'string') return create(DocumentSchema, { domain, text: content });
  const turns = content.turns.map(({ role, content: said, learnt, extras }) => ({
    role,
    content: said,
    learnt,
    extras,
  }));
  return create(DocumentSchema, { domain, schemaVersion: 2, turns, tools: content.tools });
}
