import { randomUUID } from 'node:crypto';
import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import { Notifier } from '../../../process/lifecycle/notifier.ts';
import { repeatUntilAborted } from '../../../process/lifecycle/repeat.ts';
import type { Log } from '../../../process/log/log.ts';
import { RepeatedWarning } from '../../../process/log/repeated-warning.ts';
import type { Document, RolloutTask } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { DeliveredRollout, RolloutStreams } from '../../../wire/nats/rollout-streams.ts';
import { fitCompletion, type Readers } from './fit-completion.ts';
import type { RolloutJournal } from './journal.ts';
import type { RolloutPlan } from './plan.ts';
import { wrongRollout } from './wrong-rollout.ts';

/** How often it is looked whether NATS has lost a task or a rollout, in milliseconds. */
const lookEvery = 1_000;
/** Tasks that are given out before the first rollout that is missing has come. */
const mostAhead = 256;

interface Parts {
  readonly plan: RolloutPlan;
  /** What is to be written for a rollout, by its number among the rollouts. */
  readonly taskOf: (rollout: number) => RolloutTask;
  readonly journal: RolloutJournal;
  readonly streams: Pick<RolloutStreams, 'publishTask' | 'purgeTasks' | 'takeRollouts' | 'underway'>;
  readonly readers: Readers;
  /** Hears of every rollout that becomes no document. */
  readonly onDropped?: ((kind: keyof DroppedRollouts) => void) | undefined;
  readonly log: Log;
}

/** Rollouts that came and became no document, since this process began. */
export interface DroppedRollouts {
  /** Written by weights older than the staleness allows. */
  stale: number;
  /** Not what was asked for, or broken. */
  unusable: number;
  /** Of documents that were written already. */
  late: number;
}

/**
 * Gives out what the target is to write, and takes what it has written: the first usable rollout of a document goes
 * into the journal, and from there alone into the run. What is lost on the way is asked for again.
 */
export class RolloutExchange {
  readonly #parts: Parts;
  readonly dropped: DroppedRollouts = { stale: 0, unusable: 0, late: 0 };
  /** Told when the journal has grown, or something is to be asked for again. */
  readonly #news = new Notifier();
  readonly #signal: AbortSignal;
  /** Tells tasks of this process from those of an earlier one. */
  readonly #life = randomUUID();
  /** Rollouts whose tasks are out, by their numbers: how often each was given out. */
  readonly #asked = new Map<number, number>();
  /** Those of them that are to be given out again. */
  readonly #again = new Set<number>();
  /** The first rollout that is missing. */
  #first = 0;

  constructor(parts: Parts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#news.notifyAll(), { once: true });
  }

  /**
   * A document that the target writes, once it has.
   *
   * @throws FuseMeshError cancelled when aborted before
   */
  async at(document: number): Promise<Document> {
    for (;;) {
      const news = this.#news.next();
      const found = await this.#parts.journal.read(document);
      if (found !== undefined) return found;
      if (this.#signal.aborted) {
        throw new FuseMeshError('cancelled', `Stopped before document ${document} was written.`);
      }
      await news;
    }
  }

  /**
   * Works until aborted.
   *
   * @throws FuseMeshError where the journal cannot be written, or NATS refuses what is asked of it
   */
  async run(): Promise<void> {
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#signal, stop.signal]);
    const both = [this.#take(signal), this.#give(signal)];
    await Promise.all(both).finally(async () => {
      stop.abort();
      this.#news.notifyAll();
      await Promise.allSettled(both);
    });
  }

  async #take(signal: AbortSignal): Promise<void> {
    for await (const delivered of this.#parts.streams.takeRollouts(signal)) {
      await this.#keep(delivered);
      await delivered.ack();
    }
  }

  /** Returns when the rollout is in the journal, or dropped. */
  async #keep(delivered: DeliveredRollout): Promise<void> {
    const { plan, journal, taskOf, log } = this.#parts;
    const { document } = delivered;
    const planned = document < plan.documents ? plan.at(document) : undefined;
    if (planned === undefined || !('rollout' in planned)) {
      return this.#drop('unusable', document, 'is of a document that the target does not write');
    }
    if (journal.has(document)) return this.#drop('late', document, 'came when it was written already');
    const wrong =
      delivered.rollout === undefined
        ? { kind: 'unusable' as const, reason: delivered.malformed }
        : wrongRollout(delivered.rollout, taskOf(planned.rollout));
    if (delivered.rollout === undefined || wrong !== undefined) {
      if (wrong) this.#drop(wrong.kind, document, wrong.reason);
      this.#again.add(planned.rollout);
      this.#news.notifyAll();
      return;
    }
    const { rollout } = delivered;
    const completion = rollout.turns[rollout.turns.length - 1];
    const { content, isCut, refused } = await fitCompletion(rollout, this.#parts.readers);
    if (isCut) Object.assign(completion, { content, unfinished: true });
    if (refused !== undefined) {
      log.warn(
        { document, reason: refused },
        `Nothing of the completion of document ${document} can be learnt`,
      );
    }
    await journal.append([rollout]);
    this.#asked.delete(planned.rollout);
    this.#news.notifyAll();
  }

  #drop(kind: keyof DroppedRollouts, document: number, reason: string): void {
    this.dropped[kind]++;
    const { onDropped, log } = this.#parts;
    onDropped?.(kind);
    const fields = { document, kind, dropped: { ...this.dropped } };
    const line = `The rollout of document ${document} ${reason}: it is dropped`;
    // Two workers that write the same are no trouble.
    if (kind === 'late') log.debug(fields, line);
    else log.warn(fields, line);
  }

  /** Gives out what is missing, in order; what has vanished again. */
  async #give(signal: AbortSignal): Promise<void> {
    let looked = performance.now();
    let isPurged = false;
    const warning = new RepeatedWarning(this.#parts.log);
    const onFailure = (error: FuseMeshError) => {
      if (error.code !== 'unavailable') throw error;
      warning.warn(`Cannot give out prompts, trying again: ${error.message}`);
    };
    await repeatUntilAborted({ pause: 0, signal, onFailure }, async () => {
      const news = this.#news.next(lookEvery);
      try {
        // Tasks of an earlier feeder: those that are still needed are given out again, in order.
        if (!isPurged) await this.#parts.streams.purgeTasks();
        isPurged = true;
        await this.#giveMissing(signal);
        if (performance.now() - looked >= lookEvery) {
          await this.#findLost();
          looked = performance.now();
        }
        warning.over();
      } finally {
        await news;
      }
    });
  }

  async #giveMissing(signal: AbortSignal): Promise<void> {
    const { plan, journal, taskOf, streams } = this.#parts;
    const last = plan.rolloutsTrained;
    while (this.#first < last && journal.has(plan.documentOf(this.#first))) this.#first++;
    if (this.#first === last) return;
    // Tasks that wait for weights which nobody has seen yet would fill the workers' hands: one step of them does no
    // harm, and saves a round trip.
    const newest = Math.max(journal.newestStep, plan.leastStepOf(this.#first));
    const end = Math.min(last, this.#first + mostAhead);
    for (let rollout = this.#first; rollout < end && plan.leastStepOf(rollout) <= newest + 1; rollout++) {
      const isAsked = this.#asked.has(rollout) && !this.#again.has(rollout);
      if (isAsked || journal.has(plan.documentOf(rollout))) continue;
      const attempt = (this.#asked.get(rollout) ?? 0) + 1;
      await streams.publishTask(taskOf(rollout), { attempt: `${this.#life}/${attempt}`, signal });
      this.#asked.set(rollout, attempt);
      this.#again.delete(rollout);
    }
  }

  /** Marks what was given out, and is neither with NATS nor in the journal. */
  async #findLost(): Promise<void> {
    const { plan, streams, log } = this.#parts;
    const before = [...this.#asked.keys()];
    if (before.length === 0) return;
    const underway = await streams.underway();
    const lost = before.filter(
      (rollout) => this.#asked.has(rollout) && !underway.has(plan.documentOf(rollout)),
    );
    if (lost.length === 0) return;
    for (const rollout of lost) this.#again.add(rollout);
    log.warn(
      { documents: lost.map((rollout) => plan.documentOf(rollout)) },
      'NATS has lost prompts or rollouts: they are written again',
    );
    this.#news.notifyAll();
  }
}
