import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Notifier } from '../../../process/lifecycle/notifier.ts';
import { LookAhead } from '../read/look-ahead.ts';
import { Attendance, type JoinRule } from './attendance.ts';

const names = ['fiction', 'manuals', 'target'];
const documents = 12;
const all = Array.from({ length: documents }, (_, document) => document);

/** When a part of a document comes; of the text where the source is −1. */
interface Arrival {
  readonly at: number;
  readonly source: number;
  readonly document: number;
}

interface Joined {
  readonly document: number;
  readonly at: number;
  readonly sources: readonly string[];
}

/** A join in a time that we make: looks at every arrival and whenever an answer is due, as joinDocuments does. */
class Play {
  readonly lines: string[] = [];
  readonly joined: Joined[] = [];
  readonly #texts = new LookAhead<number>(0, 100, new Notifier());
  readonly #sources = names.map((name) => ({
    name,
    distributions: new LookAhead<number>(0, 100, new Notifier()),
  }));
  readonly #attendance: Attendance;
  #position = 0;

  constructor(rule: JoinRule) {
    const say = (_fields: object, line?: string) => void this.lines.push(line!);
    this.#attendance = new Attendance(rule, this.#sources, { log: { info: say, warn: say } });
  }

  /** @param arrivals in the order of time */
  run(arrivals: readonly Arrival[]): this {
    for (const { at, source, document } of arrivals) {
      while (this.#attendance.due <= at) this.#look(this.#attendance.due);
      const queue = source === -1 ? this.#texts : this.#sources[source].distributions;
      queue.offer(document, ++this.#position, 10 * document + source, { at });
      this.#look(at);
    }
    while (this.#attendance.due < Number.POSITIVE_INFINITY) this.#look(this.#attendance.due);
    return this;
  }

  #look(now: number): void {
    while (this.joined.length < documents) {
      const document = this.joined.length;
      const missing = this.#attendance.missing(document, this.#texts.arrived, now);
      if (missing.length > 0 || !this.#texts.ready) return;
      const present = this.#attendance.joined(document, now);
      expect(this.#texts.take()).toBe(10 * document - 1);
      for (const [s, { name, distributions }] of this.#sources.entries()) {
        const value = distributions.takeOrPass();
        if (present.has(name)) expect(value).toBe(10 * document + s);
      }
      this.joined.push({ document, at: now, sources: [...present] });
    }
  }
}

const inOrder = (arrivals: readonly Arrival[]) => arrivals.toSorted((a, b) => a.at - b.at);
/** Every text at 0; of each source all documents, the first at `from`, then one every `every`. */
const steadily = (...sources: { from: number; every: number }[]): Arrival[] =>
  inOrder([
    ...all.map((document) => ({ at: 0, source: -1, document })),
    ...sources.flatMap(({ from, every }, source) =>
      all.map((document) => ({ at: from + every * document, source, document })),
    ),
  ]);

/** Parts in any order and at any time, some never, some twice; the texts in order. */
const anyArrivals = fc
  .record({
    texts: fc.array(fc.nat(50), { minLength: documents, maxLength: documents }),
    parts: fc.array(
      fc.record({
        at: fc.nat(400),
        source: fc.nat(names.length - 1),
        document: fc.nat(documents - 1),
      }),
      { maxLength: 60 },
    ),
  })
  .map(({ texts, parts }) => {
    let at = 0;
    const ofTexts = texts.map((gap, document): Arrival => {
      at += gap;
      return { at, source: -1, document };
    });
    return inOrder([...ofTexts, ...parts]);
  });
const rules = fc.record({
  atLeast: fc.integer({ min: 1, max: 3 }),
  within: fc.integer({ min: 1, max: 120 }),
});

describe('who takes part in a document', () => {
  it('is the same for the same arrivals, and nothing is lost, doubled or out of order', () => {
    fc.assert(
      fc.property(anyArrivals, rules, (arrivals, rule) => {
        const { joined } = new Play(rule).run(arrivals);
        expect(new Play(rule).run(arrivals).joined).toEqual(joined);
        expect(joined.map(({ document }) => document)).toEqual(all.slice(0, joined.length));
        for (const { document, at, sources } of joined) {
          const came = names.filter((_, source) =>
            arrivals.some((one) => one.source === source && one.document === document && one.at <= at),
          );
          // What has come takes part; at the very moment it may be that it is looked at one after the other.
          const before = came.filter((name) =>
            arrivals.some((one) => names[one.source] === name && one.document === document && one.at < at),
          );
          expect(came).toEqual(expect.arrayContaining([...sources]));
          expect(sources).toEqual(expect.arrayContaining(before));
          expect(sources.length).toBeGreaterThanOrEqual(rule.atLeast);
        }
        // It stands still only where too few have come.
        const stuck = joined.length;
        if (stuck < documents) {
          const came = new Set(arrivals.filter((one) => one.document === stuck).map(({ source }) => source));
          came.delete(-1);
          expect(came.size).toBeLessThan(rule.atLeast);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is everybody where all are waited for', () => {
    fc.assert(
      fc.property(anyArrivals, (arrivals) => {
        const { joined, lines } = new Play({ atLeast: 3, within: Number.POSITIVE_INFINITY }).run(arrivals);
        for (const { sources } of joined) expect(sources).toEqual(names);
        expect(lines).toEqual([]);
      }),
    );
  });

  it('is never waited for longer than the time, from when the document is next and a part of it is there', () => {
    fc.assert(
      fc.property(anyArrivals, fc.integer({ min: 1, max: 120 }), (arrivals, within) => {
        const { joined } = new Play({ atLeast: 1, within }).run(arrivals);
        for (const [i, { document, at }] of joined.entries()) {
          const text = arrivals.find((one) => one.source === -1 && one.document === document)!.at;
          const enough = Math.min(
            ...arrivals.filter((one) => one.source !== -1 && one.document === document).map((one) => one.at),
          );
          const next = i === 0 ? 0 : joined[i - 1].at;
          // A source that catches up may begin its time anew, once while the document waits.
          expect(at).toBeLessThanOrEqual(Math.max(text, enough, next) + 2 * within);
        }
      }),
    );
  });
});

describe('a source that', () => {
  const rule = { atLeast: 2, within: 30 };

  it('never comes holds up one document', () => {
    const { joined, lines } = new Play(rule).run(
      steadily({ from: 1, every: 1 }, { from: 1, every: 1 }).filter(({ source }) => source < 2),
    );
    expect(joined.map(({ at }) => at)).toEqual(all.map(() => 30));
    expect(lines).toEqual(['The training goes on without target: it has not delivered document 0 in time']);
  });

  it('is slow, but in time, sets the pace', () => {
    const { joined, lines } = new Play(rule).run(
      steadily({ from: 1, every: 1 }, { from: 1, every: 1 }, { from: 25, every: 25 }),
    );
    expect(joined.map(({ at }) => at)).toEqual(all.map((document) => 25 * (document + 1)));
    expect(joined.every(({ sources }) => sources.length === 3)).toBe(true);
    expect(lines).toEqual([]);
  });

  it('comes back behind the others and catches up within the time is waited for, and is back', () => {
    const { joined, lines } = new Play(rule).run(
      steadily({ from: 0, every: 10 }, { from: 0, every: 10 }, { from: 45, every: 4 }),
    );
    const without = joined.filter(({ sources }) => sources.length === 2).length;
    expect(without).toBeGreaterThan(1);
    expect(without).toBeLessThan(documents - 3);
    expect(joined.slice(without).every(({ sources }) => sources.length === 3)).toBe(true);
    expect(lines).toEqual([
      'The training goes on without target: it has not delivered document 0 in time',
      `target is back, from document ${without} on`,
    ]);
  });

  it('is too slow to catch up is not waited for again', () => {
    const { joined } = new Play(rule).run(
      steadily({ from: 0, every: 10 }, { from: 0, every: 10 }, { from: 60, every: 50 }),
    );
    expect(joined.at(-1)!.at).toBeLessThanOrEqual(10 * documents + 30);
  });

  it('has lost one document is waited for once, and takes part in the next', () => {
    const { joined } = new Play(rule).run(
      steadily({ from: 1, every: 1 }, { from: 1, every: 1 }, { from: 1, every: 1 }).filter(
        ({ source, document }) => source !== 2 || document !== 4,
      ),
    );
    expect(joined.map(({ sources }) => sources.length)).toEqual(all.map((one) => (one === 4 ? 2 : 3)));
    expect(joined[5].at - joined[3].at).toBeLessThanOrEqual(31);
  });

  it('is needed to make up the number is waited for though it is left out', () => {
    const arrivals = steadily({ from: 1, every: 1 }, { from: 1, every: 1 }, { from: 200, every: 1 }).filter(
      ({ source, document }) => source !== 1 || document < 6,
    );
    const { joined } = new Play(rule).run(arrivals);
    expect(joined).toHaveLength(documents);
    expect(joined[5].at).toBeLessThanOrEqual(31);
    expect(joined[6].at).toBeGreaterThanOrEqual(206);
    expect(joined[6].sources).toEqual(['fiction', 'target']);
  });
});
