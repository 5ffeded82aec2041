import { create, toBinary } from '@bufbuild/protobuf';
import type { RunConfig } from '../../../process/config/schema.ts';
import type { Log } from '../../../process/log/log.ts';
import { beginning } from '../../../texts/row.ts';
import { SkippedRows } from '../../../texts/skipped-rows.ts';
import { DocumentSchema, RolloutSchema } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import { CorpusWriter } from '../corpus-writer.ts';
import { type CorpusFile, findCorpusFiles } from '../cut-corpus.ts';
import { noPrompt } from '../no-text.ts';
import { cannotBeKept, documentOf, modelsKey } from '../prepare-corpus.ts';
import { openStored, type StoredCorpus } from '../stored-corpus.ts';
import { type PromptRules, readPrompts } from './read-prompts.ts';

/** What of a run file prompts depend on. */
export type PromptSettings = Pick<RunConfig, 'contextLength'> & {
  readonly onPolicy: NonNullable<RunConfig['onPolicy']>;
};

/**
 * The prompts of a run on disk, in the order of their rows: documents that lack their last turn. What was read before is
 * not read again, as long as files, models and settings are the same.
 *
 * @param directory that no other process works in
 * @throws FuseMeshError as {@link readPrompts}, and invalid_argument where there is none
 */
export async function preparePrompts(
  { onPolicy, contextLength }: PromptSettings,
  rules: PromptRules,
  {
    directory,
    log,
    onRead,
  }: {
    readonly directory: string;
    readonly log: Log;
    readonly onRead?: ((read: number, all: number) => void) | undefined;
  },
): Promise<StoredCorpus> {
  const { encoders, judges, maxNewTokens } = rules;
  const files = await findCorpusFiles(onPolicy.prompts);
  const key = JSON.stringify({
    version: 1,
    prompts: files,
    ...modelsKey(encoders),
    contextLength,
    maxNewTokens,
    judges,
  });
  try {
    const { documents, skipped } = await openStored(directory, { key, contextLength }, () =>
      readToDisk(files, rules, { directory, key, onRead }),
    );
    if (skipped.count > 0) log.warn({ skipped: skipped.counts }, `Of the prompts ${skipped.sentence()}`);
    return documents;
  } catch (cause) {
    throw cannotBeKept('The prompts', directory, cause);
  }
}

async function readToDisk(
  files: readonly CorpusFile[],
  rules: PromptRules,
  {
    directory,
    key,
    onRead,
  }: {
    readonly directory: string;
    readonly key: string;
    readonly onRead: ((read: number, all: number) => void) | undefined;
  },
): Promise<void> {
  const all = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const skipped = new SkippedRows();
  const writer = await CorpusWriter.open(directory, key);
  try {
    // They are read in one go: who is stopped before the end begins again.
    if (writer.journal.position === undefined) {
      await appendPrompts(files, rules, { writer, skipped, onRead: (read) => onRead?.(read, all) });
      if (writer.journal.documents === 0) throw noPrompt(skipped);
      await writer.save({ file: files.length, row: beginning }, skipped);
    }
    await writer.finish();
  } catch (error) {
    await writer.close().catch(() => undefined);
    throw error;
  }
}

async function appendPrompts(
  files: readonly CorpusFile[],
  rules: PromptRules,
  {
    writer,
    skipped,
    onRead,
  }: {
    readonly writer: CorpusWriter;
    readonly skipped: SkippedRows;
    readonly onRead: (read: number) => void;
  },
): Promise<void> {
  const domains = [...new Set(files.map(({ entry }) => entry.domain))];
  for await (const read of readPrompts(files, rules, onRead)) {
    if ('skipped' in read) {
      skipped.add(read.skipped);
      continue;
    }
    const { conversation, domain, teacher } = read.prompt;
    const document = documentOf(domain, conversation);
    document.rollout = create(RolloutSchema, { teacher });
    const bytes = conversation.turns.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
    await writer.append(domains.indexOf(domain), toBinary(DocumentSchema, document), bytes);
  }
}
