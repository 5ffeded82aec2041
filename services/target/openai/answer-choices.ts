import type { GeneratedPiece } from '../../../model/generation/generator.ts';
import type { AnswerRequest, Call } from '../answers/answers.ts';
import { type ChoicePiece, writeChoices } from '../answers/write-choices.ts';
import { errorAnswer } from './error-answer.ts';
import { EventStream } from './event-stream.ts';
import type { Exchange } from './exchange.ts';
import { UsageCount } from './usage.ts';
import { fingerprintOf, fingerprintOfAll, tellStep } from './weights-step.ts';

/** How an endpoint writes its answers. */
export interface AnswerForm {
  /** What stands beside the choices: id, object, created, model. */
  readonly head: object;
  /** The same in a stream. */
  readonly chunkHead: object;
  /** A choice in the answer. @param pieces all that was written */
  choice(index: number, pieces: readonly GeneratedPiece[]): object;
  /** A choice's first chunk, before anything is written; left out, there is none. */
  begin?(index: number): object;
  /** A choice in a chunk; undefined where the piece shows nothing. */
  chunk(piece: ChoicePiece): object | undefined;
}

/** Answers that are wanted, and in which form. */
export interface WantedChoices {
  readonly requests: readonly AnswerRequest[];
  /** Answers to each prompt. */
  readonly perPrompt: number;
  readonly stream: boolean;
  /** Whether a stream ends with the usage. */
  readonly includeUsage: boolean;
  readonly form: AnswerForm;
}

/**
 * Writes the answers of a request and sends them, at once or as a stream.
 *
 * @throws FuseMeshError before anything is sent; later errors end the stream
 */
export async function answerChoices(
  { answers, ...exchange }: Exchange,
  wanted: WantedChoices,
): Promise<void> {
  const call = answers.call(wanted.requests.length);
  try {
    if (wanted.stream) await streamed(call, exchange, wanted);
    else await whole(call, exchange, wanted);
  } finally {
    call.end();
  }
}

type Reply = Pick<Exchange, 'response' | 'abort'>;

async function whole(
  call: Call,
  { response, abort }: Reply,
  { requests, perPrompt, form }: WantedChoices,
): Promise<void> {
  const written: GeneratedPiece[][] = requests.map(() => []);
  const count = new UsageCount(perPrompt);
  for await (const choice of writeChoices(call, requests, abort)) {
    written[choice.index].push(choice.piece);
    count.count(choice);
  }
  const fingerprint = fingerprintOfAll(written.map(([{ version }]) => version));
  const answer = {
    ...form.head,
    choices: written.map((pieces, index) => form.choice(index, pieces)),
    usage: count.usage,
    system_fingerprint: fingerprint,
  };
  tellStep(response, fingerprint).setHeader('Content-Type', 'application/json').end(JSON.stringify(answer));
}

async function streamed(
  call: Call,
  { response, abort }: Reply,
  { requests, perPrompt, includeUsage, form }: WantedChoices,
): Promise<void> {
  const events = new EventStream(response, abort.signal);
  const count = new UsageCount(perPrompt);
  const begun = new Set<number>();
  const steps = new Set<number>();
  const send = (choice: object, version: number) =>
    events.send({
      ...form.chunkHead,
      system_fingerprint: fingerprintOf(version),
      choices: [choice],
      ...(includeUsage && { usage: null }),
    });
  try {
    for await (const choice of writeChoices(call, requests, abort)) {
      const { index, piece } = choice;
      count.count(choice);
      if (steps.size === 0) tellStep(response, fingerprintOf(piece.version));
      steps.add(piece.version);
      const first = begun.has(index) ? undefined : form.begin?.(index);
      begun.add(index);
      if (first) await send(first, piece.version);
      const chunk = form.chunk(choice);
      if (chunk) await send(chunk, piece.version);
    }
  } catch (error) {
    if (!events.begun) throw error;
    // The status is sent: the stream itself says what is wrong, and ends without [DONE].
    await events.send(errorAnswer(error).body);
    response.end();
    return;
  }
  if (includeUsage) {
    const system_fingerprint = fingerprintOfAll(steps);
    await events.send({ ...form.chunkHead, system_fingerprint, choices: [], usage: count.usage });
  }
  events.end();
}
