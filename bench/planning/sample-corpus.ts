import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { ContentEncoder } from '../../model/chat/content-encoder.ts';
import type { Content } from '../../model/chat/conversation.ts';
import { uniformNumbers } from '../../numbers/random.ts';
import { textsOf } from '../../process/config/corpus-of-run.ts';
import { sourcesOf } from '../../process/config/run-sources.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { findCorpusFiles } from '../../services/feeder/cut-corpus.ts';
import { encoderIn } from '../../services/feeder/encoders-of-run.ts';
import { cutContent } from '../../texts/cut-content.ts';
import type { ContentPiece } from '../../texts/cut-conversation.ts';
import { readTexts } from '../../texts/read-texts.ts';

/** Documents of a run, as its feeder cuts and shuffles them. */
export interface SampledCorpus {
  /** Of the whole corpus; estimated by its bytes where the sample is a part of it. */
  readonly documents: number;
  readonly isWhole: boolean;
  readonly contents: readonly Content[];
  /** Of the target: tokens of each document of the sample. */
  readonly targetTokens: readonly number[];
  /** Of each source in the order of the run file. */
  readonly sourceTokens: readonly (readonly number[])[];
  /** Bytes of the corpus's files. */
  readonly bytes: number;
}

/** What is cut of each entry of the corpus, in characters. */
const sampleCharacters = 1e6;

/**
 * Cuts the beginning of each entry of a run's corpus.
 *
 * @param documents of the whole corpus, where they are known (`fusemesh feed --dry-run` counts them); left out, they are
 *   estimated by the bytes of the files, which is too few where these are compressed
 * @throws FuseMeshError not_found where texts or the target are not on this machine
 */
export async function sampleCorpus(config: RunConfig, documents?: number): Promise<SampledCorpus> {
  const { contextLength, seed, target } = config;
  const own = await encoderIn(target.model, target.chatTemplate);
  const encoders = [own, ...(await Promise.all(sourcesOf(config).map((source) => encoderOf(source, own))))];
  const pieces: ContentPiece[] = [];
  let estimated = 0;
  let isWhole = true;
  let bytes = 0;
  for (const entry of textsOf(config)) {
    const files = await findCorpusFiles([entry]);
    const entryBytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const cut: ContentPiece[] = [];
    let cutBytes = 0;
    let isAll = true;
    for await (const { content, place } of readTexts([entry])) {
      const some = typeof content === 'string' ? content.slice(0, sampleCharacters) : content;
      cut.push(
        ...(await cutContent({ content: some, place }, { encoders, contextLength }, entry.invalid)).pieces,
      );
      cutBytes = cut.reduce((sum, piece) => sum + piece.bytes, 0);
      isAll = some === content && cutBytes <= sampleCharacters;
      if (!isAll) break;
    }
    pieces.push(...cut);
    bytes += entryBytes;
    estimated += isAll ? cut.length : (cut.length * entryBytes) / cutBytes;
    isWhole &&= isAll;
  }
  if (pieces.length === 0) throw new FuseMeshError('invalid_argument', 'The corpus has no text.');
  shuffle(pieces, seed);
  return {
    documents: documents ?? Math.round(estimated),
    isWhole: isWhole || documents !== undefined,
    contents: pieces.map(({ content }) => content),
    targetTokens: pieces.map(({ tokens }) => tokens[0]),
    sourceTokens: sourcesOf(config).map((_, s) => pieces.map(({ tokens }) => tokens[s + 1])),
    bytes,
  };
}

export const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;

/** A source whose tokenizer is not on this machine is taken to read as the target does. */
async function encoderOf(
  { model, tokenizer, chatTemplate }: ReturnType<typeof sourcesOf>[number],
  own: ContentEncoder,
): Promise<ContentEncoder> {
  const directory = tokenizer ?? model;
  if (directory === undefined) return own;
  return encoderIn(directory, chatTemplate).catch((error: unknown) => {
    if (error instanceof FuseMeshError && error.code === 'not_found') return own;
    throw error;
  });
}

/** Fisher and Yates. */
function shuffle(items: unknown[], seed: number): void {
  const uniform = uniformNumbers(seed);
  for (let i = items.length - 1; i > 0; i--) {
    const other = Math.floor(uniform() * (i + 1));
    [items[i], items[other]] = [items[other], items[i]];
  }
}
