import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { ChatTemplate } from '../../model/chat/chat-template.ts';
import type { Scorer } from '../../model/scoring/scorer.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import type { ChoiceQuestion } from './questions.ts';
import { refuseStopped, type ScoringOptions } from './score-pieces.ts';

/** A context with one of its choices behind it. */
export interface Continuation {
  /** [n] token ids of both; where they are too many, the first of the context are cut off. */
  readonly ids: Int32Array;
  /** Index in ids of the choice's first token; 1 at least. */
  readonly begin: number;
}

export interface ContinuationSettings {
  /** Puts the context into a chat, as what a user says; left out, it is taken as it is. */
  readonly template?: ChatTemplate | undefined;
  /** Stands between context and choice. */
  readonly delimiter: string;
  /** Most tokens of one continuation. */
  readonly contextLength: number;
}

/**
 * The tokens of a question with each of its choices, as lm-evaluation-harness has them (`_encode_pair`; with a template
 * as with `--apply_chat_template`, where the context ends in the beginning of an assistant's answer): context
 * and choice are tokenized as one text, white space at the end of the context belongs to the choice, and the choice's
 * tokens are those after as many tokens as the context has alone.
 *
 * Three things differ. The last token counts towards the context length here, though nothing is predicted from it: what is
 * too long is cut to one token less than the harness cuts it. A token that a tokenizer adds after a text is left out. With an
 * empty context the first token is predicted from the token that the tokenizer puts in front of any text; where it
 * puts none, the harness takes the end of text instead, which is refused here.
 *
 * @returns one for each choice
 * @throws FuseMeshError invalid_argument where nothing stands before a choice, where a choice adds no token, or
 * where its tokens alone are too many
 */
export async function continuations(
  tokenizer: Tokenizer,
  { place, context, choices }: ChoiceQuestion,
  { template, delimiter, contextLength }: ContinuationSettings,
): Promise<Continuation[]> {
  const refuse = (problem: string) => new FuseMeshError('invalid_argument', `${place} ${problem}.`);
  const asked =
    template?.render([{ role: 'user', content: context }], { addGenerationPrompt: true }) ?? context;
  const texts = [asked.trimEnd(), ...choices.map((choice) => asked + delimiter + choice)];
  // A template spells the special tokens itself.
  const isFramed = template !== undefined && template.format.template !== '';
  const [before, ...wholes] = await (isFramed
    ? tokenizer.encodeRendered(texts)
    : tokenizer.encodeBatch(texts));
  const end = before.ids.length;
  if (end === 0) {
    throw refuse('has an empty context, and the tokenizer puts no token in front: give it a context');
  }
  return wholes.map(({ ids }, choice) => {
    if (ids.length <= end) {
      throw refuse(`has a choice ${choice} that adds no token to the context: change it, or --delimiter`);
    }
    const surplus = Math.max(0, ids.length - contextLength);
    if (surplus >= end) {
      throw refuse(
        `has a choice ${choice} of ${ids.length - end} tokens, and one of the context must stand before it in ${contextLength}: raise --context-length`,
      );
    }
    return { ids: ids.slice(surplus), begin: end - surplus };
  });
}

/**
 * What a model says of each choice behind its context.
 *
 * @param questions [questions][choices]
 * @returns [questions][choices] log-likelihoods: sums over the choice's tokens, in nats
 * @throws FuseMeshError cancelled when aborted
 */
export async function scoreContinuations(
  scorer: Scorer,
  questions: readonly (readonly Continuation[])[],
  { signal, onScored }: ScoringOptions,
): Promise<number[][]> {
  const logLikelihoods: number[][] = [];
  for (const choices of questions) {
    refuseStopped(signal);
    const scored = await scorer.scoreTokens(choices.map(({ ids }) => ids));
    logLikelihoods.push(scored.map((tokens, i) => sum(tokens.subarray(choices[i].begin))));
    onScored?.(1);
  }
  return logLikelihoods;
}

const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);
