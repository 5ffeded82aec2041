import { type DescMessage, fromJson, type JsonValue, type MessageShape } from '@bufbuild/protobuf';
import {
  type GetAlignmentResponse,
  GetAlignmentResponseSchema,
  GetHistoryResponseSchema,
  type GetStatusResponse,
  GetStatusResponseSchema,
} from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { type Curves, lastStepOf, mergeCurves, noCurves, withHeldOut } from '../history/curves.ts';

/** Shows what the trainer says. */
export interface Shown {
  status(status: GetStatusResponse): void;
  curves(curves: Curves): void;
  alignment(alignment: GetAlignmentResponse): void;
  /** Whether the trainer answers; called after every try. */
  answering(yes: boolean): void;
}

/** Milliseconds after which an answer is not waited for any more. */
const patience = 10_000;
/** Milliseconds between two requests; longer where nobody answers. */
const pause = { answered: 1000, failed: 3000 };
/** The alignment is asked for every so many requests: it takes time to read. */
const looksAnAlignment = 4;

/** Follows the trainer for as long as the page is open; it rests while nobody sees the page. */
export async function follow(shown: Shown): Promise<never> {
  let last: GetStatusResponse | undefined;
  let curves = noCurves;
  for (let looks = 0; ; looks++) {
    await untilVisible();
    const answer = await ask(last, curves, looks % looksAnAlignment === 0).catch(() => undefined);
    if (answer) {
      shown.status(answer.status);
      if (answer.curves !== curves || looks === 0) shown.curves(answer.curves);
      if (answer.alignment) shown.alignment(answer.alignment);
      ({ status: last, curves } = answer);
    }
    shown.answering(answer !== undefined);
    await new Promise((resolve) => setTimeout(resolve, answer ? pause.answered : pause.failed));
  }
}

async function ask(last: GetStatusResponse | undefined, known: Curves, withAlignment: boolean) {
  const status = await needed(fetchMessage(GetStatusResponseSchema, '/api/status'));
  const curves = begunAnew(last, status, lastStepOf(known)) ? noCurves : known;
  const path = `/api/history?after_step=${lastStepOf(curves)}`;
  const merged = mergeCurves(curves, await needed(fetchMessage(GetHistoryResponseSchema, path)));
  return {
    status,
    curves: withHeldOut(merged, status.heldOut),
    alignment: withAlignment ? await fetchMessage(GetAlignmentResponseSchema, '/api/alignment') : undefined,
  };
}

/**
 * Whether the known history may hold steps that the trainer has lost: another process answers, which has resumed from
 * a checkpoint, or it has done fewer steps.
 */
export function begunAnew(
  last: GetStatusResponse | undefined,
  status: GetStatusResponse,
  knownStep: number,
): boolean {
  if (last === undefined) return false;
  const sameProcess =
    last.started?.seconds === status.started?.seconds &&
    last.started?.nanos === status.started?.nanos &&
    last.run === status.run;
  return !sameProcess || Number(status.lastStep?.step ?? 0n) < knownStep;
}

/**
 * Asks the trainer.
 *
 * @returns undefined where it has no such message yet
 * @throws Error when it does not answer, or not with what was asked for
 */
async function fetchMessage<Desc extends DescMessage>(
  schema: Desc,
  path: string,
): Promise<MessageShape<Desc> | undefined> {
  const response = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(patience) });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return fromJson(schema, (await response.json()) as JsonValue, { ignoreUnknownFields: true });
}

async function needed<T>(answer: Promise<T | undefined>): Promise<T> {
  const message = await answer;
  if (message === undefined) throw new Error('what answers is no trainer');
  return message;
}

async function untilVisible(): Promise<void> {
  while (document.hidden) {
    await new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }));
  }
}
