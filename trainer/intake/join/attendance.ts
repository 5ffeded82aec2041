import { milliseconds } from '../../../process/config/duration.ts';
import type { RunConfig } from '../../../process/config/schema.ts';
import type { Log } from '../../../process/log/log.ts';
import type { LookAhead } from '../read/look-ahead.ts';

/** When a document is joined without some of its sources. */
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
export interface Attendee {
  readonly name: string;
  readonly distributions: Pick<LookAhead<unknown>, 'ready' | 'arrived' | 'behind' | 'late'>;
}

export interface AttendanceOptions {
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Names of those that are left out from the beginning. */
  readonly leftOut?: readonly string[];
  /** The sources that a document was joined with before a restart; it waits for just these. */
  readonly recorded?: ((document: number) => readonly string[] | undefined) | undefined;
}

interface AttendeeState extends Attendee {
  /** The training continues without it: documents do not wait for it. */
  leftOut: boolean;
  /** Since when documents wait for it all the same, as it may catch up; undefined while they do not. */
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
  readonly #attendees: readonly AttendeeState[];
  #becameNext = Number.NEGATIVE_INFINITY;
  #due = Number.POSITIVE_INFINITY;
  #missing: readonly string[] = [];

  constructor(
    rule: JoinRule,
    sources: readonly Attendee[],
    { log, leftOut = [], recorded = () => undefined }: AttendanceOptions,
  ) {
    this.#rule = rule;
    this.#log = log;
    this.#recorded = recorded;
    this.#attendees = sources.map(({ name, distributions }) => ({
      name,
      distributions,
      leftOut: leftOut.includes(name),
      chanceSince: undefined,
      countedSince: Number.NEGATIVE_INFINITY,
      lateBefore: 0,
    }));
  }

  /** When the answer may change though nothing arrives, as performance.now(). */
  get due(): number {
    return this.#due;
  }

  /** Whether the training continues without a source. */
  readonly isLeftOut = (name: string): boolean =>
    this.#attendees.some((attendee) => attendee.name === name && attendee.leftOut);

  /** Whether the document that was last asked about waits for a source, or later ones would. */
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
    const absent = this.#attendees.filter(({ distributions }) => !distributions.ready);
    const waitedFor = recorded
      ? absent.filter(({ name }) => recorded.includes(name))
      : this.#waitedFor(absent, textArrived, now);
    this.#missing = waitedFor.map(({ name }) => name);
    return this.#missing;
  }

  /**
   * A document for which nobody is missing is joined.
   *
   * @returns names of the sources that take part in it
   */
  joined(document: number, now: number): ReadonlySet<string> {
    const recorded = this.#recorded(document);
    const takesPart = ({ name, distributions }: AttendeeState) =>
      recorded ? recorded.includes(name) : distributions.ready;
    for (const attendee of this.#attendees) {
      if (takesPart(attendee)) this.#tookPart(attendee, document);
      else this.#stayedAway(attendee, document, now);
      attendee.chanceSince = undefined;
    }
    this.#becameNext = now;
    this.#missing = [];
    return new Set(this.#attendees.filter(takesPart).map(({ name }) => name));
  }

  /** A document that no source is asked about is passed over: it says nothing about their attendance. */
  passOver(now: number): void {
    for (const attendee of this.#attendees) attendee.chanceSince = undefined;
    this.#becameNext = now;
    this.#missing = [];
  }

  #waitedFor(
    absent: readonly AttendeeState[],
    textArrived: number | undefined,
    now: number,
  ): readonly AttendeeState[] {
    for (const attendee of absent) if (attendee.leftOut) this.#giveChance(attendee, now);
    if (this.#attendees.length - absent.length < this.#rule.atLeast) return absent;
    const arrivals = this.#attendees.map(({ distributions }) => distributions.arrived);
    const first = Math.min(...[textArrived, ...arrivals].map((at) => at ?? Number.POSITIVE_INFINITY));
    return absent.filter(({ leftOut, chanceSince = Number.NEGATIVE_INFINITY }) => {
      if (leftOut && chanceSince === Number.NEGATIVE_INFINITY) return false;
      const until = Math.max(first, this.#becameNext, chanceSince) + this.#rule.within;
      if (now >= until) return false;
      this.#due = Math.min(this.#due, until);
      return true;
    });
  }

  /** Waits once more for a source that delivers late documents so fast that it would catch up. */
  #giveChance(attendee: AttendeeState, now: number): void {
    const { behind, late } = attendee.distributions;
    const { within } = this.#rule;
    const elapsed = now - attendee.countedSince;
    const deliveredWithin = ((late - attendee.lateBefore) * within) / Math.max(elapsed, within);
    if (behind > 0 && deliveredWithin >= behind) attendee.chanceSince ??= now;
    if (elapsed >= within) countAnew(attendee, now);
  }

  #tookPart(attendee: AttendeeState, document: number): void {
    const { name, leftOut } = attendee;
    if (leftOut) this.#log.info({ teacher: name, document }, `${name} is back, from document ${document} on`);
    attendee.leftOut = false;
  }

  #stayedAway(attendee: AttendeeState, document: number, now: number): void {
    const { name, leftOut, chanceSince } = attendee;
    if (!leftOut) {
      this.#log.warn(
        { teacher: name, document },
        `The training goes on without ${name}: it has not delivered document ${document} in time`,
      );
    }
    if (!leftOut || chanceSince !== undefined) countAnew(attendee, now);
    attendee.leftOut = true;
  }
}

function countAnew(attendee: AttendeeState, now: number): void {
  attendee.countedSince = now;
  attendee.lateBefore = attendee.distributions.late;
}
