import { milliseconds } from '../../../process/config/duration.ts';
import type { RunConfig } from '../../../process/config/schema.ts';
import type { Log } from '../../../process/log/log.ts';
import type { LookAhead } from '../read/look-ahead.ts';

/** When a document goes on without some of its sources. */
export interface JoinRule {
  /** Sources that must have delivered it, however long that takes. */
  readonly atLeast: number;
  /** How long the others are waited for, in milliseconds. */
  readonly within: number;
}

/** @param sources of the run, the target's frozen copy counted */
export const joinRuleOf = ({ join }: Pick<RunConfig['trainer'], 'join'>, sources: number): JoinRule =>
  join === 'all'
    ? { atLeast: sources, within: Number.POSITIVE_INFINITY }
    : { atLeast: join.atLeast, within: milliseconds(join.within) };

/** One source as far as it matters whether it has delivered. */
export interface Attendant {
  readonly name: string;
  readonly distributions: Pick<LookAhead<unknown>, 'ready' | 'arrived' | 'behind' | 'late'>;
}

export interface AttendanceOptions {
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Names of those that are left out from the beginning. */
  readonly leftOut?: readonly string[];
  /** The sources that a document went on with before a restart; it waits for just these. */
  readonly recorded?: ((document: number) => readonly string[] | undefined) | undefined;
}

interface Place extends Attendant {
  /** The training goes on without it: documents do not wait for it. */
  leftOut: boolean;
  /** Since when they wait for it all the same, as it may catch up; undefined while they do not. */
  chanceSince: number | undefined;
  /** Since when its late deliveries are counted, and how many there were before. */
  countedSince: number;
  lateBefore: number;
}

/**
 * Whom the next document waits for. Its clock begins when it has become the next one and the first of its parts
 * is there. A source that has not delivered when the time is over is left out: later documents do not wait for
 * it, until it delivers one in time again. One that delivers late, but so fast that it catches up within the
 * time that it would be waited for, is waited for once more.
 *
 * All times are those of performance.now(), and come in from outside: the same arrivals give the same answers.
 */
export class Attendance {
  readonly #rule: JoinRule;
  readonly #log: AttendanceOptions['log'];
  readonly #recorded: NonNullable<AttendanceOptions['recorded']>;
  readonly #places: readonly Place[];
  #becameNext = Number.NEGATIVE_INFINITY;
  #due = Number.POSITIVE_INFINITY;
  #missing: readonly string[] = [];

  constructor(
    rule: JoinRule,
    sources: readonly Attendant[],
    { log, leftOut = [], recorded = () => undefined }: AttendanceOptions,
  ) {
    this.#rule = rule;
    this.#log = log;
    this.#recorded = recorded;
    this.#places = sources.map(({ name, distributions }) => ({
      name,
      distributions,
      leftOut: leftOut.includes(name),
      chanceSince: undefined,
      countedSince: Number.NEGATIVE_INFINITY,
      lateBefore: 0,
    }));
  }

  /** When the answer may change though nothing comes, as performance.now(). */
  get due(): number {
    return this.#due;
  }

  /** Whether the training goes on without a source. */
  readonly isLeftOut = (name: string): boolean =>
    this.#places.some((place) => place.name === name && place.leftOut);

  /** Whether the last document that was asked for waits for a source, or later ones would. */
  counts(name: string): boolean {
    return !this.isLeftOut(name) || this.#missing.includes(name);
  }

  /**
   * @param textArrived when the next document's text came; undefined before
   * @returns names of the sources that the next document waits for
   */
  missing(document: number, textArrived: number | undefined, now: number): readonly string[] {
    this.#due = Number.POSITIVE_INFINITY;
    const recorded = this.#recorded(document);
    const absent = this.#places.filter(({ distributions }) => !distributions.ready);
    const waitedFor = recorded
      ? absent.filter(({ name }) => recorded.includes(name))
      : this.#waitedFor(absent, textArrived, now);
    this.#missing = waitedFor.map(({ name }) => name);
    return this.#missing;
  }

  /**
   * A document for which nobody is missing goes on.
   *
   * @returns names of the sources that take part in it
   */
  goOn(document: number, now: number): ReadonlySet<string> {
    const recorded = this.#recorded(document);
    const takesPart = ({ name, distributions }: Place) =>
      recorded ? recorded.includes(name) : distributions.ready;
    for (const place of this.#places) {
      if (takesPart(place)) this.#tookPart(place, document);
      else this.#stayedAway(place, document, now);
      place.chanceSince = undefined;
    }
    this.#becameNext = now;
    this.#missing = [];
    return new Set(this.#places.filter(takesPart).map(({ name }) => name));
  }

  /** A document that no source is asked about goes on: it says nothing about them. */
  passOver(now: number): void {
    for (const place of this.#places) place.chanceSince = undefined;
    this.#becameNext = now;
    this.#missing = [];
  }

  #waitedFor(absent: readonly Place[], textArrived: number | undefined, now: number): readonly Place[] {
    for (const place of absent) if (place.leftOut) this.#giveChance(place, now);
    if (this.#places.length - absent.length < this.#rule.atLeast) return absent;
    const arrivals = this.#places.map(({ distributions }) => distributions.arrived);
    const first = Math.min(...[textArrived, ...arrivals].map((at) => at ?? Number.POSITIVE_INFINITY));
    return absent.filter(({ leftOut, chanceSince = Number.NEGATIVE_INFINITY }) => {
      if (leftOut && chanceSince === Number.NEGATIVE_INFINITY) return false;
      const until = Math.max(first, this.#becameNext, chanceSince) + this.#rule.within;
      if (now >= until) return false;
      this.#due = Math.min(this.#due, until);
      return true;
    });
  }

  /** What it delivers late tells how fast it catches up while the training waits. */
  #giveChance(place: Place, now: number): void {
    const { behind, late } = place.distributions;
    const { within } = this.#rule;
    const elapsed = now - place.countedSince;
    const deliveredWithin = ((late - place.lateBefore) * within) / Math.max(elapsed, within);
    if (behind > 0 && deliveredWithin >= behind) place.chanceSince ??= now;
    if (elapsed >= within) countAnew(place, now);
  }

  #tookPart(place: Place, document: number): void {
    const { name, leftOut } = place;
    if (leftOut) this.#log.info({ teacher: name, document }, `${name} is back, from document ${document} on`);
    place.leftOut = false;
  }

  #stayedAway(place: Place, document: number, now: number): void {
    const { name, leftOut, chanceSince } = place;
    if (!leftOut) {
      this.#log.warn(
        { teacher: name, document },
        `The training goes on without ${name}: it has not delivered document ${document} in time`,
      );
    }
    if (!leftOut || chanceSince !== undefined) countAnew(place, now);
    place.leftOut = true;
  }
}

function countAnew(place: Place, now: number): void {
  place.countedSince = now;
  place.lateBefore = place.distributions.late;
}
