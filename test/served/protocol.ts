import type { PromptAnswer } from './prompt-answer.ts';
import type { ReceivedRequest, Reply } from './reply.ts';
import type { ServerTokenizer } from './served-tokenizer.ts';

/** What a protocol is served with. */
export interface Serving {
  /** The model's name. */
  readonly name: string;
  /** Tokens of a prompt and what is generated behind it. */
  readonly contextLength: number;
  readonly vocabularySize: number;
  readonly tokenizer: ServerTokenizer;
  /** vLLM's --max-logprobs. */
  readonly maxLogprobs: number;
  /** SGLang's --allow-auto-truncate. */
  readonly autoTruncate: boolean;
  readonly apiKey: string | undefined;
  /** @param temperature of the generated token's row */
  score(ids: readonly number[], k: number, temperature: number): Promise<PromptAnswer>;
}

/** Answers requests as a server of that kind does. */
export type Protocol = (request: ReceivedRequest, serving: Serving) => Promise<Reply>;
