import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Events, type Msg } from 'nats';
import { z } from 'zod';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { sleepUnlessAborted } from '../../process/lifecycle/repeat.ts';
import { unlessAborted } from '../../process/lifecycle/unless-aborted.ts';
import type { Log } from '../../process/log/log.ts';
import type { NatsConnection } from './connection.ts';
import { isUnanswered, natsFailure } from './failure.ts';
import { runNames } from './names.ts';

/** How long others have to answer, in milliseconds. */
const answerWithin = 1_000;
/** One that holds a run and says nothing for this long hangs: another may take its place. */
const hungAfter = 10_000;
/** After somebody has asked for a run that is held, or the connection came back: who has it now? */
const askAgainAfter = 2_000;

/** What is asked on the run's subject; `claims` where the asker wants to hold the run. */
const questionSchema = z.object({ instance: z.string(), claims: z.boolean() });
/** `holds` is false of one that claims the run at this moment too; `place` is for people. */
const answerSchema = z.object({ instance: z.string(), holds: z.boolean(), place: z.string() });
type Question = z.infer<typeof questionSchema>;
type Answer = z.infer<typeof answerSchema>;

/** A trainer's hold on its run. */
export interface HeldRun {
  /** Throws when another trainer has taken the run over, as it may when this one stood still; returns when aborted. */
  watch(signal: AbortSignal): Promise<void>;
}

/**
 * Makes this process the one trainer of a run. Whoever trains a run answers on a subject of it, so a trainer that was
 * killed holds nothing, and one that hangs holds its run for ten seconds. Of two that start together, the one with
 * the lower instance wins.
 *
 * @throws FuseMeshError already_exists where another process trains the run, cancelled when aborted
 */
export async function holdRun(
  connection: NatsConnection,
  run: string,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Log },
): Promise<HeldRun> {
  const { raw, url } = connection;
  const { trainerSubject: subject } = runNames(run);
  const own: Answer = {
    instance: randomUUID(),
    holds: false,
    place: `process ${process.pid} on ${hostname()}`,
  };
  let holds = false;
  let claimed = false;
  let earlier: Question | undefined;
  let ask = () => {};

  try {
    await awaitNobody();
    raw.subscribe(subject, { callback: (error, message) => error ?? answer(message) });
    await raw.flush();
    await claim();
    holds = true;
  } catch (error) {
    throw natsFailure(error, `become the trainer of run ${run}`, url);
  }
  return { watch };

  /** Nobody who trains the run answers, and nobody subscribes who could. */
  async function awaitNobody(): Promise<void> {
    const until = performance.now() + hungAfter;
    let told = false;
    while (!signal.aborted) {
      try {
        const message = await raw.request(subject, question(false), { timeout: answerWithin });
        const other = read(answerSchema, message);
        if (other?.holds) refuse(other);
        return;
      } catch (error) {
        if (!isUnanswered(error)) throw error;
        const isThere = (error as { code?: string }).code === 'TIMEOUT';
        if (!isThere || performance.now() >= until) return;
        if (!told) log.warn(`Another trainer of run ${run} is there and says nothing: waiting for it`);
        told = true;
      }
      await sleepUnlessAborted(answerWithin, signal);
    }
    throw new FuseMeshError('cancelled', `Stopped before it was the trainer of run ${run}.`);
  }

  async function claim(): Promise<void> {
    const answers = await raw.requestMany(subject, question(true), { maxWait: answerWithin / 4 });
    for await (const message of answers) {
      const other = read(answerSchema, message);
      if (other && (other.holds || other.instance < own.instance)) refuse(other);
    }
    if (earlier) refuse({ ...own, place: 'one that starts at the same moment' });
  }

  function answer(message: Msg): void {
    const asked = read(questionSchema, message);
    if (asked === undefined || asked.instance === own.instance) return;
    if (asked.claims && !holds && asked.instance < own.instance) earlier = asked;
    if (holds || asked.claims) message.respond(JSON.stringify({ ...own, holds } satisfies Answer));
    if (!(holds && asked.claims)) return;
    claimed = true;
    ask();
  }

  async function watch(until: AbortSignal): Promise<void> {
    const statuses = raw.status();
    void (async () => {
      for await (const { type } of statuses) {
        if (type !== Events.Reconnect) continue;
        claimed = true;
        ask();
      }
    })();
    while (!until.aborted) {
      const asked = new Promise<void>((resolve) => {
        ask = resolve;
      });
      if (!claimed) await unlessAborted(asked, until);
      claimed = false;
      await sleepUnlessAborted(askAgainAfter, until);
      if (!until.aborted) await refuseIfTaken();
    }
  }

  async function refuseIfTaken(): Promise<void> {
    try {
      const message = await raw.request(subject, question(false), { timeout: answerWithin });
      const other = read(answerSchema, message);
      if (other) refuse(other);
    } catch (error) {
      if (!isUnanswered(error)) throw error;
    }
  }

  function question(claims: boolean): string {
    return JSON.stringify({ instance: own.instance, claims } satisfies Question);
  }

  function refuse({ place }: Answer): never {
    throw new FuseMeshError(
      'already_exists',
      `Another trainer trains run ${run} (${place}): end it first, or give this run another name.`,
    );
  }
}

/** Undefined for what is none of ours. */
function read<T>(schema: z.ZodType<T>, message: Msg): T | undefined {
  try {
    return schema.safeParse(JSON.parse(message.string())).data;
  } catch {
    return undefined;
  }
}
