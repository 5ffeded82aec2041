import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { ContentEncoder } from '../../../model/chat/content-encoder.ts';
import type { Turn } from '../../../model/chat/conversation.ts';

/** How all models of a run read. */
export interface Readers {
  readonly encoders: readonly ContentEncoder[];
  /** In tokens. */
  readonly contextLength: number;
}

/** What of a completion all models can take. */
export interface FittedCompletion {
  readonly content: string;
  /** Whether something of it was cut off. */
  readonly isCut: boolean;
  /** Why nothing of it is left, where a chat template cannot read it as it is. */
  readonly refused?: string;
}

/** A conversation of which the last turn was just written. */
interface Written {
  readonly turns: readonly (Turn & { readonly unfinished?: boolean })[];
  readonly tools: string;
}

/**
 * The longest beginning of the last turn with which the conversation fits into the context of every model: what the
 * target wrote in few tokens may be more of another tokenizer. Nothing is left of a completion that a chat template
 * refuses or would change.
 */
export async function fitCompletion(
  { turns, tools }: Written,
  { encoders, contextLength }: Readers,
): Promise<FittedCompletion> {
  const last = turns[turns.length - 1];
  const fits = async (content: string) => {
    const cut = content.length < last.content.length;
    const turn = { ...last, content, ...(cut && { unfinished: true }) };
    const conversation = { turns: [...turns.slice(0, -1), turn], tools };
    const read = await Promise.all(encoders.map((encoder) => encoder.encodeBatch([conversation])));
    return read.every(([{ ids }]) => ids.length <= contextLength);
  };
  try {
    if (await fits(last.content)) return { content: last.content, isCut: false };
    // The longest known to fit, and the shortest known not to.
    let [fitting, tooLong] = [0, last.content.length];
    while (tooLong - fitting > 1) {
      const middle = (fitting + tooLong) >> 1;
      if (await fits(beginningOf(last.content, middle))) fitting = middle;
      else tooLong = middle;
    }
    return { content: beginningOf(last.content, fitting), isCut: true };
  } catch (error) {
    if (!(error instanceof FuseMeshError && error.code === 'invalid_argument')) throw error;
    return { content: '', isCut: last.content !== '', refused: error.message };
  }
}

/** Never half of a character. */
function beginningOf(text: string, length: number): string {
  const isHalf = /[\ud800-\udbff]/.test(text[length - 1] ?? '');
  return text.slice(0, isHalf ? length - 1 : length);
}
