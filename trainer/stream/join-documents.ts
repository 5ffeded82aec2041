import type { TextDistribution } from '../../mesh/codec/text-distribution.ts';
import type { Document } from '../../mesh/generated/fusemesh/v1/corpus_pb.ts';
import type { Log } from '../../mesh/log/log.ts';
import type { Change } from '../change.ts';
import type { LookAhead } from './look-ahead.ts';
import { MissingTime } from './missing-time.ts';
import { whyPassedOver, whyRefused } from './passed-over.ts';
import { feeder, WaitReport } from './wait-report.ts';

/** A document with what every source says about it. */
export interface JoinedDocument {
  readonly number: number;
  readonly text: string;
  /** In the order of the sources. */
  readonly distributions: readonly TextDistribution[];
  /** Why nothing can be learnt from it. There are then no distributions, or some that say so. */
  readonly passedOver?: string | undefined;
}

/** One source's part of the join. */
export interface JoinedSource {
  readonly name: string;
  readonly distributions: LookAhead<TextDistribution>;
}

/** Hears of the join; as TrainerMetrics. */
export interface JoinObserver {
  /** A document with all its parts has come. */
  joined(): void;
  /** The next document waited for a source, or for the feeder. */
  waitedFor(who: string, seconds: number): void;
}

/** What is joined; each part begins at document `from`, and `change` is theirs. */
export interface Join {
  readonly from: number;
  /** One more than the last document. */
  readonly until: number;
  readonly documents: LookAhead<Document>;
  readonly sources: readonly JoinedSource[];
  readonly change: Change;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly metrics: JoinObserver;
  /** Takes back what has come for the next document and does not fit its text; gives whether there was any. */
  readonly withdrawUnfit?: (() => Promise<boolean>) | undefined;
}

/** How often the time of a long wait is counted, in milliseconds. */
const countEvery = 1_000;

/**
 * Gives the documents strictly in order, each when the text and every source's distributions of it are here.
 * Never leaves one out: it waits, and the log says for whom. Ends early when aborted.
 */
export async function* joinDocuments(join: Join): AsyncGenerator<JoinedDocument> {
  const { metrics } = join;
  const missingTime = new MissingTime((who, seconds) => metrics.waitedFor(who, seconds));
  for (let number = join.from; number < join.until; number++) {
    const report = new WaitReport(join.log);
    for (;;) {
      if (join.signal.aborted) return;
      const missing = missingParts(join);
      missingTime.now(missing);
      if (missing.length === 0) {
        if (await join.withdrawUnfit?.()) continue;
        break;
      }
      report.waiting(missing, `document ${number}`);
      await join.change.next(Math.min(report.due, countEvery));
    }
    report.over();
    metrics.joined();
    yield takeNext(join, number);
  }
}

function takeNext({ documents, sources }: Join, number: number): JoinedDocument {
  const document = documents.take();
  const { text } = document;
  const passedOver = whyPassedOver(document);
  if (passedOver !== undefined) {
    for (const { distributions } of sources) distributions.pass();
    return { number, text, distributions: [], passedOver };
  }
  const distributions = sources.map((source) => source.distributions.take());
  return { number, text, distributions, passedOver: whyRefused(distributions) };
}

function missingParts({ documents, sources }: Join): string[] {
  // Nobody scores what is malformed.
  if (documents.next !== undefined && whyPassedOver(documents.next) !== undefined) return [];
  const missing = sources.filter(({ distributions }) => !distributions.ready).map(({ name }) => name);
  return documents.ready ? missing : [feeder, ...missing];
}
