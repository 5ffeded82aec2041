import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { ContentEncoder } from '../../model/chat/content-encoder.ts';
import type { Content } from '../../model/chat/conversation.ts';
import { uniformNumbers } from '../../numbers/random.ts';
import { textsOf } from '../../process/config/corpus-of-run.ts';
import { sourcesOf } from '../../process/config/run-sources.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { cutCorpus, findCorpusFiles } from '../../services/feeder/cut-corpus.ts';
import { encoderIn } from '../../services/feeder/encoders-of-run.ts';

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

/** What is read of each entry of the corpus, in bytes of its files. */
const sampleBytes = 4e6;

/**
 * Cuts the first megabytes of each entry of a run's corpus.
 *
 * @throws FuseMeshError not_found where texts or the target are not on this machine
 */
export async function sampleCorpus(config: RunConfig): Promise<SampledCorpus> {
  const { contextLength, seed, target } = config;
  const own = await encoderIn(target.model, target.chatTemplate);
  const encoders = [own, ...(await Promise.all(sourcesOf(config).map((source) => encoderOf(source, own))))];
  const pieces: { readonly content: Content; readonly tokens: readonly number[] }[] = [];
  let documents = 0;
  let bytes = 0;
  let isWhole = true;
  for (const entry of textsOf(config)) {
    const files = await findCorpusFiles([entry]);
    const all = files.reduce((sum, file) => sum + file.bytes, 0);
    let read = 0;
    let cut = 0;
    for await (const text of cutCorpus(files, { encoders, contextLength, signal: AbortSignal.any([]) })) {
      for (const { content, tokens } of text.pieces) pieces.push({ content, tokens });
      cut += text.pieces.length;
      read = text.read;
      if (read > sampleBytes) break;
    }
    bytes += all;
    documents += read > 0 ? (cut * all) / read : 0;
    if (read < all) isWhole = false;
  }
  if (pieces.length === 0) throw new FuseMeshError('invalid_argument', 'The corpus has no text.');
  shuffle(pieces, seed);
  return {
    documents: Math.round(documents),
    isWhole,
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
