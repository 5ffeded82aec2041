import type { ServerResponse } from 'node:http';
import type { Answers } from '../answers/answers.ts';

/** A request to the front whose body is read, and what it is answered with. */
export interface Exchange {
  readonly body: Readonly<Record<string, unknown>>;
  readonly response: ServerResponse;
  /** Aborts when the caller has gone. */
  readonly abort: AbortController;
  readonly answers: Answers;
  /** Name of the model: the run's. */
  readonly name: string;
}
