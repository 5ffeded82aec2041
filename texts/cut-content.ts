import { FuseMeshError } from '../errors/fusemesh-error.ts';
import type { ContentEncoder } from '../model/chat/content-encoder.ts';
import type { Content } from '../model/chat/conversation.ts';
import { type ContentPiece, cutConversation } from './cut-conversation.ts';
import type { SkippedRow, TextEntry } from './read-texts.ts';
import { type CountedPiece, splitAndCount } from './split-text.ts';

export interface CutSettings {
  /** Of all models of the run. */
  readonly encoders: readonly ContentEncoder[];
  /** In tokens. */
  readonly contextLength: number;
}

/** The pieces of one content, and what of it was left out. */
export interface CutContent {
  readonly pieces: readonly ContentPiece[];
  readonly skipped: readonly SkippedRow[];
}

/**
 * Cuts a text or a conversation into pieces that fit into the context with every encoder. What of a conversation is too
 * long, or has nothing that is learnt, is left out and told.
 *
 * @param invalid what becomes of a conversation that a chat template cannot read
 * @throws FuseMeshError invalid_argument where a template cannot read it and such are refused, and as splitText
 */
export async function cutContent(
  { content, place }: { readonly content: Content; readonly place: string },
  { encoders, contextLength }: CutSettings,
  invalid: TextEntry['invalid'],
): Promise<CutContent> {
  if (typeof content === 'string') {
    const tokenizers = encoders.map(({ tokenizer }) => tokenizer);
    const pieces = await splitAndCount(content, tokenizers, contextLength);
    return { pieces: pieces.map(textPiece), skipped: [] };
  }
  try {
    const { pieces, problems } = await cutConversation(content, encoders, contextLength);
    return { pieces, skipped: problems.map((problem) => ({ place, problem })) };
  } catch (error) {
    if (!(error instanceof FuseMeshError && error.code === 'invalid_argument')) throw error;
    const reason = error.message.replace(/\.$/, '');
    if (invalid === 'skip')
      return { pieces: [], skipped: [{ place, problem: 'refused by a chat template', reason }] };
    throw new FuseMeshError(
      'invalid_argument',
      `${place} cannot be read by all models of the run. ${reason}: correct it, or leave such rows out with "invalid: skip".`,
      { cause: error },
    );
  }
}

const textPiece = ({ text, tokens }: CountedPiece): ContentPiece => ({
  content: text,
  bytes: Buffer.byteLength(text),
  tokens,
  learnt: tokens,
});
