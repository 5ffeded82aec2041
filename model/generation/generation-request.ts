import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Sampling } from './sampling.ts';

export interface GenerationRequest extends Sampling {
  /** Used as it is; the tokenizer adds its beginning of sequence in front. */
  readonly prompt: string;
  /** A chat template has made the prompt, with all the special tokens that there are to be. */
  readonly rendered?: boolean;
  /** Most tokens to generate; the context may end the text earlier. */
  readonly maxTokens: number;
  /** Strings that end the text and are not part of it. */
  readonly stop: readonly string[];
  /** A token that ends the text beside those that the model's files name. */
  readonly endOfTurn?: number | undefined;
  /**
   * How many of the most probable tokens come with each token, with their log-probabilities, 0 to 20; with 0, the
   * chosen token's alone. Left out, none are computed.
   */
  readonly logProbabilities?: number | undefined;
}

/** A token, and how probable the model thought it. */
export interface TokenProbability {
  readonly id: number;
  /** What it stands for, in UTF-8: it may begin or end within a character. Empty for special tokens. */
  readonly bytes: Uint8Array;
  /** Natural logarithm of its probability in the model's own distribution, before temperature and top_p. */
  readonly logProbability: number;
}

/** A token that was chosen. */
export interface GeneratedToken extends Omit<TokenProbability, 'logProbability'> {
  /** Where the request asks for it; so are the alternatives. */
  readonly logProbability?: number;
  /** The most probable tokens, by falling probability, as many as were asked for; the chosen one may be among them. */
  readonly alternatives?: readonly TokenProbability[];
}

/** What came with one token. */
export interface GeneratedPiece {
  /** May be empty, or of several tokens: a token can be part of a character or of a stop string. */
  readonly text: string;
  /** The end of text too. */
  readonly token: GeneratedToken;
  /** Tokens generated so far, this one included. */
  readonly tokens: number;
  /** Of the prompt, with what the tokenizer put in front. */
  readonly promptTokens: number;
  /** Training step of the weights that have written the whole text. */
  readonly version: number;
  /** In the last piece: `stop` for the end of text or a stop string, `length` for maxTokens or the context. */
  readonly finishReason?: 'stop' | 'length';
  /** With `stop`: the id of the token that ends texts, or the stop string. */
  readonly stopReason?: number | string;
}

/** As many alternatives as OpenAI gives at most. */
const mostAlternatives = 20;

/** @throws FuseMeshError invalid_argument for numbers out of range */
export function checkRequest(request: GenerationRequest): void {
  const { maxTokens, temperature, topP, seed, stop, logProbabilities: count } = request;
  const refuse = (problem: string) => {
    throw new FuseMeshError('invalid_argument', problem);
  };
  if (!Number.isInteger(maxTokens) || maxTokens < 1) refuse(`max_tokens is ${maxTokens}; use 1 or more`);
  if (!(temperature >= 0 && Number.isFinite(temperature)))
    refuse(`temperature is ${temperature}; use 0 (greedy) or more`);
  if (!(topP > 0 && topP <= 1)) refuse(`top_p is ${topP}; use more than 0, up to 1`);
  if (!Number.isInteger(seed) || seed < 0) refuse(`seed is ${seed}; use a whole number from 0`);
  if (stop.includes('')) refuse('stop has an empty string, which would end every text');
  if (count !== undefined && !(Number.isInteger(count) && count >= 0 && count <= mostAlternatives))
    refuse(`log-probabilities of ${count} tokens are asked for; use 0 to ${mostAlternatives}`);
}
