import type { JoinedDocument } from '../../../fusion/batch/joined-document.ts';
import type { Notifier } from '../../../process/lifecycle/notifier.ts';
import type { Log } from '../../../process/log/log.ts';
import type { TextDistribution } from '../../../wire/codec/text-distribution.ts';
import type { Document } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';
import type { LookAhead } from '../read/look-ahead.ts';
import type { Attendance } from './attendance.ts';
import { MissingTime } from './missing-time.ts';
import { whyPassedOver, whyRefused } from './passed-over.ts';
import { feeder, WaitReport } from './wait-report.ts';

/** One source's part of the join. */
export interface JoinedSource {
  readonly name: string;
  readonly distributions: LookAhead<TextDistribution>;
}

/** Hears of the join; as TrainerMetrics. */
export interface JoinObserver {
  /** A document has gone on. */
  joined(): void;
  /** It has gone on without a source. */
  joinedWithout(source: string): void;
  /** The next document waited for a source, or for the feeder. */
  waitedFor(who: string, seconds: number): void;
}

/** What is joined; each part begins at document `from`, and `notifier` is theirs. */
export interface Join {
  readonly from: number;
  /** One more than the last document. */
  readonly until: number;
  readonly documents: LookAhead<Document>;
  readonly sources: readonly JoinedSource[];
  /** Whom a document waits for. */
  readonly attendance: Attendance;
  readonly notifier: Notifier;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly metrics: JoinObserver;
  /**
   * Takes back what has come for the next document and does not fit its text.
   *
   * @returns undefined where there is nothing of that kind
   */
  readonly withdrawUnfit?: (() => Promise<void> | undefined) | undefined;
}

/** How often the time of a long wait is counted, in milliseconds. */
const countEvery = 1_000;

/**
 * Gives the documents strictly in order, each when the text and the distributions that it waits for are here.
 * Never leaves a document out; while it waits, the log says for whom. Ends early when aborted.
 */
export async function* joinDocuments(join: Join): AsyncGenerator<JoinedDocument> {
  const { attendance, metrics } = join;
  const missingTime = new MissingTime((who, seconds) => metrics.waitedFor(who, seconds));
  for (let number = join.from; number < join.until; number++) {
    const report = new WaitReport(join.log);
    for (;;) {
      if (join.signal.aborted) return;
      const missing = missingParts(join, number);
      missingTime.now(missing);
      if (missing.length === 0) {
        // What has been looked at goes on at once, before anything else can come.
        const withdrawing = join.withdrawUnfit?.();
        if (withdrawing === undefined) break;
        await withdrawing;
        continue;
      }
      report.waiting(missing, `document ${number}`);
      const due = Math.max(1, attendance.due - performance.now());
      await join.notifier.next(Math.min(report.due, countEvery, due));
    }
    yield takeNext(join, number, report);
  }
}

function takeNext(join: Join, number: number, report: WaitReport): JoinedDocument {
  const { documents, sources, attendance, metrics } = join;
  metrics.joined();
  const document = documents.take();
  const { text } = document;
  const malformed = whyPassedOver(document);
  if (malformed !== undefined) {
    attendance.passOver(performance.now());
    report.over([]);
    for (const { distributions } of sources) distributions.takeOrPass();
    return { number, text, distributions: [], passedOver: malformed };
  }
  const present = attendance.goOn(number, performance.now());
  const without = sources.filter(({ name }) => !present.has(name)).map(({ name }) => name);
  report.over(without);
  for (const name of without) metrics.joinedWithout(name);
  const distributions = sources.map(({ name, distributions }) => {
    const distribution = distributions.takeOrPass();
    return present.has(name) ? distribution : undefined;
  });
  return { number, text, distributions, passedOver: whyRefused(distributions) };
}

function missingParts({ documents, attendance }: Join, number: number): readonly string[] {
  // Nobody scores what is malformed.
  const next = documents.peek(number);
  if (next !== undefined && whyPassedOver(next) !== undefined) return [];
  const missing = attendance.missing(number, documents.arrived, performance.now());
  return documents.ready ? missing : [feeder, ...missing];
}
