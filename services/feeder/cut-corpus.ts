import { stat } from 'node:fs/promises';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Content } from '../../model/chat/conversation.ts';
import { type CutSettings, cutContent } from '../../texts/cut-content.ts';
import type { ContentPiece } from '../../texts/cut-conversation.ts';
import { findTextFiles } from '../../texts/find-text-files.ts';
import { readFileTexts, type SkippedRow, type TextEntry } from '../../texts/read-texts.ts';
import { beginning, type RowPosition } from '../../texts/row.ts';

/** A file of a corpus. */
export interface CorpusFile {
  readonly path: string;
  readonly entry: TextEntry;
  /** As it is on disk. */
  readonly bytes: number;
  /** When it was last changed, in milliseconds. */
  readonly changed: number;
}

/** Where in a list of files. */
export interface CorpusPosition {
  readonly file: number;
  readonly row: RowPosition;
}

export const corpusBeginning: CorpusPosition = { file: 0, row: beginning };

/** What a text or conversation, or the end of a file, adds to a run's documents. */
export interface CutText {
  readonly domain: string;
  /** None at the end of a file. */
  readonly pieces: readonly ContentPiece[];
  /** What was left out since the text before. */
  readonly skipped: readonly SkippedRow[];
  /** Where the rest begins. */
  readonly after: CorpusPosition;
  /** Bytes of all files, as they are on disk, that have been read. */
  readonly read: number;
}

export interface Cutting extends CutSettings {
  readonly from?: CorpusPosition;
  readonly signal: AbortSignal;
}

/** Texts that are cut at once: each waits for threads of the tokenizers most of its time. */
const atOnce = 8;

/**
 * The files that a run's texts are in, in the order in which they are read.
 *
 * @throws FuseMeshError as {@link findTextFiles}
 */
export async function findCorpusFiles(corpus: readonly TextEntry[]): Promise<CorpusFile[]> {
  const files: CorpusFile[] = [];
  for (const entry of corpus) {
    for (const path of (await findTextFiles(entry.path)).files) {
      const { size, mtimeMs } = await stat(path);
      files.push({ path, entry, bytes: size, changed: mtimeMs });
    }
  }
  return files;
}

/**
 * The corpus of a run, text by text, each in pieces that fit the context of every encoder. Few texts are in memory
 * at a time.
 *
 * @throws FuseMeshError cancelled when aborted, and as {@link readFileTexts}
 */
export async function* cutCorpus(files: readonly CorpusFile[], cutting: Cutting): AsyncGenerator<CutText> {
  const texts = readCorpus(files, cutting.from ?? corpusBeginning);
  yield* inOrder(texts, async ({ text, invalid, skipped, ...rest }) => {
    if (cutting.signal.aborted) throw new FuseMeshError('cancelled', 'Stopped while cutting the corpus.');
    if (text === undefined) return { ...rest, pieces: [], skipped };
    const cut = await cutContent(text, cutting, invalid);
    return { ...rest, pieces: cut.pieces, skipped: [...skipped, ...cut.skipped] };
  });
}

/** A text with its place, to be cut; undefined at the end of a file. */
interface ReadText extends Omit<CutText, 'pieces'> {
  readonly text: { readonly content: Content; readonly place: string } | undefined;
  readonly invalid: TextEntry['invalid'];
}

async function* readCorpus(files: readonly CorpusFile[], from: CorpusPosition): AsyncGenerator<ReadText> {
  let before = files.slice(0, from.file).reduce((sum, { bytes }) => sum + bytes, 0);
  for (const [file, { path, entry, bytes }] of files.entries()) {
    if (file < from.file) continue;
    let skipped: SkippedRow[] = [];
    let read = 0;
    const { domain, invalid } = entry;
    const options = {
      from: file === from.file ? from.row : beginning,
      onSkipped: (row: SkippedRow) => skipped.push(row),
      onRead: (all: number) => {
        read = all;
      },
    };
    for await (const { after, ...text } of readFileTexts(path, entry, options)) {
      yield { domain, invalid, text, skipped, after: { file, row: after }, read: before + read };
      skipped = [];
    }
    before += bytes;
    yield {
      domain,
      invalid,
      text: undefined,
      skipped,
      after: { file: file + 1, row: beginning },
      read: before,
    };
  }
}

/** Works on several items at once, and gives what comes of them in their order. */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const begun: Promise<Result>[] = [];
  for await (const item of items) {
    const result = work(item);
    // Whoever waits for it hears of its failure; one that nobody waits for any more is no news.
    result.catch(() => undefined);
    begun.push(result);
    if (begun.length === atOnce) yield await (begun.shift() as Promise<Result>);
  }
  for (const result of begun) yield await result;
}
