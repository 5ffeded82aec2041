import {
  type JoinedDocument,
  presentSources,
  type UsableDocument,
} from '../../../fusion/batch/joined-document.ts';
import { contentOf } from '../../../model/chat/conversation.ts';
import type { Notifier } from '../../../process/lifecycle/notifier.ts';
import type { Log } from '../../../process/log/log.ts';
import type { TextDistribution } from '../../../wire/codec/text-distribution.ts';
import type { IncomingDocument } from '../../../wire/nats/run-streams.ts';
import type { LookAhead, Message, SourceQueue } from '../read/look-ahead.ts';
import { feeder, WaitReport } from '../read/wait-report.ts';
import type { Attendance } from './attendance.ts';

/** A usable document from the streams of a run. */
export interface StreamedDocument extends UsableDocument {
  /** The message that it came in. */
  readonly message: Message | undefined;
}

/** What has been joined, as it came. */
export interface JoinedParts {
  readonly number: number;
  /** The message of its text; undefined where that cannot be used. */
  readonly document: Uint8Array | undefined;
  /** In the order of the sources; undefined of one that takes no part. */
  readonly distributions: readonly (JoinedDistribution | undefined)[];
}

interface JoinedDistribution {
  readonly distribution: TextDistribution;
  /** The message that it came in; undefined where it came another way. */
  readonly bytes: Uint8Array | undefined;
}

/** Hears of the join; as TrainerMetrics. */
export interface JoinObserver {
  /** A document has been joined. */
  joined(): void;
  /** It was joined without a source. */
  joinedWithout(source: string): void;
  /** The next document waited for a source, or for the feeder. */
  waitedFor(who: string, seconds: number): void;
}

/** What is joined. Texts and distributions all begin at document `from`, and share the notifier. */
export interface Join {
  readonly from: number;
  /** One more than the last document. */
  readonly until: number;
  readonly documents: LookAhead<IncomingDocument>;
  readonly sources: readonly SourceQueue[];
  /** Whom a document waits for. */
  readonly attendance: Attendance;
  readonly notifier: Notifier;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly metrics: JoinObserver;
  /**
   * Withdraws distributions that have come for the next document and do not fit its text.
   *
   * @returns undefined where there is nothing of that kind
   */
  readonly withdrawUnfit?: (() => Promise<void> | undefined) | undefined;
  /** Takes in each document before it is given. */
  readonly keep?: ((parts: JoinedParts) => Promise<void>) | undefined;
}

/** How often the time of a long wait is counted, in milliseconds. */
const countEvery = 1_000;

/**
 * Gives the documents strictly in order, each when the text and the distributions that it waits for are here.
 * Never leaves a document out. While it waits, the log says for whom. Ends early when aborted.
 */
export async function* joinDocuments(join: Join): AsyncGenerator<JoinedDocument<StreamedDocument>> {
  const { attendance, metrics } = join;
  const missingTime = new MissingTime((who, seconds) => metrics.waitedFor(who, seconds));
  for (let number = join.from; number < join.until; number++) {
    const report = new WaitReport(join.log);
    for (;;) {
      if (join.signal.aborted) return;
      const missing = missingParts(join, number);
      missingTime.now(missing);
      if (missing.length === 0) {
        // Joined at once, so that nothing that has not been compared can come in between.
        const withdrawing = join.withdrawUnfit?.();
        if (withdrawing === undefined) break;
        await withdrawing;
        continue;
      }
      report.waiting(missing, `document ${number}`);
      const due = Math.max(1, attendance.due - performance.now());
      await join.notifier.next(Math.min(report.due, countEvery, due));
    }
    const { document, parts } = takeNext(join, report);
    await join.keep?.(parts);
    yield document;
  }
}

function takeNext(
  join: Join,
  report: WaitReport,
): { readonly document: JoinedDocument<StreamedDocument>; readonly parts: JoinedParts } {
  const { documents, sources, attendance, metrics } = join;
  metrics.joined();
  const message = documents.messageOf(documents.nextNumber);
  const document = documents.take();
  const { number } = document;
  if (document.unusable !== undefined) {
    attendance.passOver(performance.now());
    report.over([]);
    for (const { distributions } of sources) distributions.takeOrPass();
    return {
      document: { number, unusable: document.unusable, present: undefined },
      parts: { number, document: undefined, distributions: [] },
    };
  }
  const present = attendance.joined(number, performance.now());
  const without = sources.filter(({ name }) => !present.has(name)).map(({ name }) => name);
  report.over(without);
  for (const name of without) metrics.joinedWithout(name);
  const taken = sources.map(({ name, distributions }) => {
    const { bytes } = distributions;
    const distribution = distributions.takeOrPass();
    return distribution && present.has(name) ? { distribution, bytes } : undefined;
  });
  const distributions = taken.map((part) => part?.distribution);
  const parts = { number, document: message?.bytes, distributions: taken };
  const { rollout } = document;
  const refusal = refusalAmong(distributions);
  if (refusal !== undefined) {
    return {
      document: { number, unusable: refusal, present: presentSources(distributions), rollout },
      parts,
    };
  }
  return { document: { number, content: contentOf(document), distributions, rollout, message }, parts };
}

/** Why one of the teachers cannot score a document; undefined where all could. */
export function refusalAmong(distributions: readonly (TextDistribution | undefined)[]): string | undefined {
  const refused = distributions.find((distribution) => distribution?.refusal !== undefined);
  return refused && `teacher ${refused.teacher} cannot score it: ${refused.refusal}`;
}

function missingParts({ documents, attendance }: Join, number: number): readonly string[] {
  // Nobody scores what cannot be used.
  if (documents.peek(number)?.unusable !== undefined) return [];
  const missing = attendance.missing(number, documents.arrived, performance.now());
  return documents.ready ? missing : [feeder, ...missing];
}

/** Counts how long each part of the next document was missing while it was waited for. */
export class MissingTime {
  readonly #count: (who: string, seconds: number) => void;
  #missing: readonly string[] = [];
  #since = 0;

  constructor(count: (who: string, seconds: number) => void) {
    this.#count = count;
  }

  /** @param missing who has not delivered, from now on; nobody while nothing is waited for */
  now(missing: readonly string[]): void {
    if (missing.length === 0 && this.#missing.length === 0) return;
    const now = performance.now();
    const seconds = (now - this.#since) / 1000;
    for (const who of this.#missing) this.#count(who, seconds);
    this.#missing = missing;
    this.#since = now;
  }
}
