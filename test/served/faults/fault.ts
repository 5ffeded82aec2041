import type { ServerResponse } from 'node:http';
import type { PromptAnswer } from '../prompt-answer.ts';
import type { Reply } from '../reply.ts';
import type { PromptRows } from '../served-model.ts';
import type { ServerTokenizer } from '../served-tokenizer.ts';

/** A way to misbehave: what is changed on the way of an answer, from the prompt to the wire. All else is as it should be. */
export interface Fault {
  /** Every request meets it; left out, those for scores. */
  readonly everywhere?: true;
  /** [n] Token ids of the prompt whose requests alone meet it; left out, those of every prompt. */
  readonly only?: Int32Array;
  /** The prompt that is scored instead. */
  readonly prompt?: (ids: Int32Array) => Int32Array;
  readonly tokenizer?: (tokenizer: ServerTokenizer) => ServerTokenizer;
  /** What the model says. */
  readonly rows?: (rows: PromptRows) => PromptRows;
  /** What the answer says of it. */
  readonly answer?: (answer: PromptAnswer) => PromptAnswer;
  /** The answer as bytes. */
  readonly reply?: (reply: Reply) => Reply;
  /** How it is sent. */
  readonly send?: (response: ServerResponse, reply: Reply) => void | Promise<void>;
  /** No answer comes, and the connection stays. */
  readonly silent?: true;
}
