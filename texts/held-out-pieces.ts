import { FuseMeshError } from '../errors/fusemesh-error.ts';
import type { ContentEncoder } from '../model/chat/content-encoder.ts';
import type { Content } from '../model/chat/conversation.ts';
import { learntLoss } from '../model/chat/learnt-loss.ts';
import type { HeldOutPiece } from './bits-per-byte.ts';
import { cutContent } from './cut-content.ts';
import { readTexts, type SkippedRow, type TextEntry } from './read-texts.ts';

/** A model that is evaluated on held-out texts. */
export interface HeldOutReader {
  /** What it is called in a message. */
  readonly name: string;
  readonly encoder: ContentEncoder;
}

export interface HeldOutSettings {
  /** All models of the run. */
  readonly readers: readonly HeldOutReader[];
  /** In tokens. */
  readonly contextLength: number;
}

/**
 * Held-out texts and conversations, cut like a corpus into pieces that fit into the context with every encoder. Each
 * model has something to read in every piece, and something to predict in every domain.
 *
 * @param onSkipped called with what is left out
 * @throws FuseMeshError not_found for a missing path; invalid_argument for a file that is not text, for a text of which a
 *   tokenizer leaves nothing where the entry does not skip such, and for a domain of which a model predicts nothing
 */
export async function heldOutPieces(
  entries: readonly TextEntry[],
  { readers, contextLength }: HeldOutSettings,
  onSkipped: (row: SkippedRow) => void,
): Promise<HeldOutPiece[]> {
  const held: HeldOutPiece[] = [];
  const encoders = readers.map(({ encoder }) => encoder);
  const domains = new Map<string, ReadDomain>();
  for (const entry of entries) {
    for await (const { domain, ...text } of readTexts([entry], { onSkipped })) {
      const { place } = text;
      const { pieces, skipped } = await cutContent(text, { encoders, contextLength }, entry.invalid);
      for (const row of skipped) onSkipped(row);
      const contents = pieces.map(({ content }) => content);
      const readings = await Promise.all(encoders.map((encoder) => readingsOf(contents, encoder)));
      const unread = (piece: number) => readings.findIndex((ofPieces) => ofPieces[piece].isNothing);
      const kept = contents.filter((_, piece) => unread(piece) === -1);
      if (kept.length === 0 && contents.length > 0 && entry.invalid !== 'skip')
        throw nothingLeft(place, readers[unread(0)]);
      for (let i = kept.length; i < contents.length; i++)
        onSkipped({ place, problem: 'nothing after normalising' });
      if (kept.length === 0) continue;
      const read = domains.get(domain) ?? { place, predictedBytes: readers.map(() => 0) };
      domains.set(domain, read);
      for (const [i, ofPieces] of readings.entries())
        for (const { predictedBytes } of ofPieces) read.predictedBytes[i] += predictedBytes;
      for (const content of kept) held.push({ domain, content });
    }
  }
  for (const [domain, read] of domains) refuseUnpredicted(domain, read, readers);
  return held;
}

/** What is known of the texts of a domain. */
interface ReadDomain {
  /** Of the first. */
  readonly place: string;
  /** [readers] */
  readonly predictedBytes: number[];
}

/** What a model finds in a piece. */
interface Reading {
  /** No token stands for any of its bytes. */
  readonly isNothing: boolean;
  readonly predictedBytes: number;
}

async function readingsOf(contents: readonly Content[], encoder: ContentEncoder): Promise<Reading[]> {
  return (await encoder.encodeBatch(contents)).map(({ ids, starts, ends }, i) => ({
    isNothing: !starts.some((start, token) => ends[token] > start),
    predictedBytes: learntLoss(contents[i], { starts, ends }, new Float32Array(ids.length)).predictedBytes,
  }));
}

function nothingLeft(place: string, { name }: HeldOutReader): FuseMeshError {
  return new FuseMeshError(
    'invalid_argument',
    `${place} is nothing to ${name}, whose tokenizer leaves all of it out: remove it, or leave such rows out with "invalid: skip".`,
  );
}

function refuseUnpredicted(
  domain: string,
  { place, predictedBytes }: ReadDomain,
  readers: readonly HeldOutReader[],
): void {
  const without = readers.find((_, i) => predictedBytes[i] === 0);
  if (without === undefined) return;
  throw new FuseMeshError(
    'invalid_argument',
    `The held-out texts of ${domain}, the first of which is ${place}, have no token that ${without.name} predicts: give longer ones.`,
  );
}
