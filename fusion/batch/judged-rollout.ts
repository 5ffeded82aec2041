import type { Content } from '../../model/chat/conversation.ts';
import type { Rollout } from '../../wire/generated/fusemesh/v1/corpus_pb.ts';

/** What the target wrote, in a batch. */
export interface WrittenDocument {
  readonly number: number;
  readonly content: Content;
  /** [n] under the target's tokenizer. */
  readonly ids: Int32Array;
  /** [n] 1 where the token is learnt. */
  readonly learnt: Uint8Array | undefined;
  readonly rollout: Rollout;
}

/** Who judges it. */
export interface Judge {
  /** Index of the source. */
  readonly source: number;
  /** Of what is learnt of the document, summed, in nats. */
  readonly crossEntropy: number;
}

/** What the target wrote, and what is said about it. */
export interface JudgedRollout extends Pick<WrittenDocument, 'number' | 'rollout'> {
  /** Undefined where nobody judges it. */
  readonly judge: Judge | undefined;
  /** The last turn before the completion; '' where there is none. */
  readonly prompt: string;
  readonly text: string;
  /** It ended by length. */
  readonly unfinished: boolean;
  /** Its runs of four tokens, and how many of them stood in it before. */
  readonly fourGrams: number;
  readonly repeatedFourGrams: number;
}

export function judgedRollout(
  { number, content, ids, learnt, rollout }: WrittenDocument,
  judge: Judge | undefined,
): JudgedRollout {
  const turns = typeof content === 'string' ? [] : content.turns;
  const last = turns.at(-1);
  return {
    number,
    rollout,
    judge,
    prompt: turns.at(-2)?.content ?? '',
    text: last?.content ?? '',
    unfinished: last?.unfinished === true,
    ...countFourGrams(ids.filter((_, i) => learnt?.[i] === 1)),
  };
}

/** A text that goes round in circles repeats its runs of four tokens. */
function countFourGrams(ids: Int32Array): Pick<JudgedRollout, 'fourGrams' | 'repeatedFourGrams'> {
  const seen = new Set<string>();
  let fourGrams = 0;
  for (; fourGrams + 4 <= ids.length; fourGrams++) seen.add(ids.subarray(fourGrams, fourGrams + 4).join());
  return { fourGrams, repeatedFourGrams: fourGrams - seen.size };
}
