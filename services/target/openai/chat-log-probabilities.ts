import type { GeneratedPiece, TokenProbability } from '../../../model/generation/generator.ts';
import type { Tokenizer } from '../../../model/tokenizer/tokenizer.ts';
import { tokenText } from './token-text.ts';

interface ChatTokenProbability {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

/** A token in the log-probabilities of a chat answer. */
export interface ChatToken extends ChatTokenProbability {
  readonly top_logprobs: readonly ChatTokenProbability[];
}

/** What a piece adds to a chat answer's logprobs.content; nothing for the token that ends the text. */
export function chatTokens({ token, stopReason }: GeneratedPiece, tokenizer: Tokenizer): ChatToken[] {
  if (token.id === stopReason || token.logProbability === undefined) return [];
  const shown = ({ logProbability, ...one }: TokenProbability): ChatTokenProbability => ({
    token: tokenText(one, tokenizer),
    logprob: logProbability,
    bytes: [...one.bytes],
  });
  const { logProbability, alternatives = [] } = token;
  return [{ ...shown({ ...token, logProbability }), top_logprobs: alternatives.map(shown) }];
}
