import type { GetStatusResponse } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';

/** What goes through the mesh, as means over the last few seconds; undefined where they are not known yet. */
export interface Rates {
  /** Documents trained on per second. */
  readonly documents: number | undefined;
  /** Share of the trainer's wall time that it waited for documents. */
  readonly waitShare: number | undefined;
  /** Bytes of distributions that the trainer received per second. */
  readonly bytes: number | undefined;
  /** Documents that each teacher scored per second. */
  readonly scored: ReadonlyMap<string, number | undefined>;
}

export const noRates: Rates = {
  documents: undefined,
  waitShare: undefined,
  bytes: undefined,
  scored: new Map(),
};

/** A status, and when it came, in seconds. */
export interface Sample {
  readonly at: number;
  readonly status: GetStatusResponse;
}

/** Changes per second between two samples; undefined for counters that fell, since their process began again. */
export function ratesBetween(older: Sample, newer: Sample): Rates {
  const seconds = newer.at - older.at;
  const perSecond = (before: bigint | undefined, after: bigint | undefined) => {
    const change = Number((after ?? 0n) - (before ?? 0n));
    return seconds > 0 && change >= 0 ? change / seconds : undefined;
  };
  const before = new Map(older.status.sources.map((source) => [source.teacher, source]));
  return {
    documents: perSecond(older.status.lastStep?.documents, newer.status.lastStep?.documents),
    waitShare: waitShareBetween(older.status, newer.status),
    bytes: perSecond(bytesOf(older.status), bytesOf(newer.status)),
    scored: new Map(
      newer.status.sources.map(({ teacher, documentsScored }) => {
        const source = before.get(teacher);
        return [teacher, source && perSecond(source.documentsScored, documentsScored)];
      }),
    ),
  };
}

const bytesOf = ({ sources }: GetStatusResponse): bigint =>
  sources.reduce((sum, { bytesReceived }) => sum + bytesReceived, 0n);

function waitShareBetween(older: GetStatusResponse, newer: GetStatusResponse): number | undefined {
  const all = total(newer) - total(older);
  const waited = (newer.time?.wait ?? 0) - (older.time?.wait ?? 0);
  return all > 0 && waited >= 0 ? Math.min(1, waited / all) : undefined;
}

const total = ({ time }: GetStatusResponse): number =>
  time ? time.wait + time.align + time.compute + time.optimizer + time.checkpoint + time.evaluate : 0;

/** Seconds that a rate is a mean over. */
const span = 10;

/** Adds a sample and drops those that the span no longer needs. */
export function withSample(samples: readonly Sample[], sample: Sample): Sample[] {
  const all = [...samples, sample];
  // One sample at or before the beginning of the span is needed.
  const first = all.findLastIndex(({ at }) => at <= sample.at - span);
  return all.slice(Math.max(0, first));
}

/** The rates over samples. */
export function ratesOf(samples: readonly Sample[]): Rates {
  return samples.length < 2 ? noRates : ratesBetween(samples[0], samples[samples.length - 1]);
}
