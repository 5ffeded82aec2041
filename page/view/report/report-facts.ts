import { duration, grouped, rate } from '../format.ts';
import type { ReportData } from '../report-data.ts';

/** What the head of a report says: label and value. */
export const reportFacts = ({
  totals: { steps, tokens, seconds },
}: Pick<ReportData, 'totals'>): (readonly [string, string])[] => [
  ['steps', grouped(steps)],
  ['tokens trained', grouped(tokens)],
  ['time', duration(seconds)],
  ['tokens/s', rate(seconds > 0 ? tokens / seconds : undefined)],
];
