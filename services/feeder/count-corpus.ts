import type { ContentEncoder } from '../../model/chat/content-encoder.ts';
import type { Content } from '../../model/chat/conversation.ts';
import { uniformNumbers } from '../../numbers/random.ts';
import { textsOf } from '../../process/config/corpus-of-run.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { SkippedRows } from '../../texts/skipped-rows.ts';
import { cutCorpus, findCorpusFiles } from './cut-corpus.ts';
import { noText } from './no-text.ts';

/** What a run would be fed with. */
export interface CorpusCount {
  readonly files: number;
  readonly texts: number;
  readonly documents: number;
  /** UTF-8, of what is said. */
  readonly textBytes: number;
  readonly skipped: SkippedRows;
  /** [encoders] of all documents. */
  readonly tokens: readonly number[];
  /** [encoders] those of them that are learnt. */
  readonly learnt: readonly number[];
  /** Some documents, drawn by the run's seed. */
  readonly examples: readonly { readonly domain: string; readonly content: Content }[];
}

const exampleCount = 3;

/**
 * Reads and cuts a corpus as its feeder does, and keeps nothing of it but counts and examples.
 *
 * @param onRead called with how many bytes of the corpus's files are read, and of how many
 * @throws FuseMeshError cancelled when aborted, invalid_argument where the corpus has no text
 */
export async function countCorpus(
  config: Pick<RunConfig, 'corpus' | 'contextLength' | 'seed'>,
  encoders: readonly ContentEncoder[],
  { signal, onRead }: { signal: AbortSignal; onRead: (read: number, all: number) => void },
): Promise<CorpusCount> {
  const { contextLength, seed } = config;
  const files = await findCorpusFiles(textsOf(config));
  const all = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const skipped = new SkippedRows();
  const uniform = uniformNumbers(seed);
  const tokens = encoders.map(() => 0);
  const learnt = encoders.map(() => 0);
  const examples: { domain: string; content: Content }[] = [];
  let texts = 0;
  let documents = 0;
  let textBytes = 0;
  for await (const cut of cutCorpus(files, { encoders, contextLength, signal })) {
    for (const row of cut.skipped) skipped.add(row);
    if (cut.pieces.length > 0) texts++;
    for (const piece of cut.pieces) {
      // Reservoir sampling (Vitter 1985, algorithm R).
      const place = documents < exampleCount ? documents : Math.floor(uniform() * (documents + 1));
      if (place < exampleCount) examples[place] = { domain: cut.domain, content: piece.content };
      documents++;
      textBytes += piece.bytes;
      for (const [i, count] of piece.tokens.entries()) tokens[i] += count;
      for (const [i, count] of piece.learnt.entries()) learnt[i] += count;
    }
    onRead(cut.read, all);
  }
  if (documents === 0) throw noText(skipped);
  return { files: files.length, texts, documents, textBytes, skipped, tokens, learnt, examples };
}
