import colors from 'picocolors';
import { z } from 'zod';
import { alignColumns } from './align-columns.ts';

/** Held-out loss of one domain in bits per byte. */
const domainLossSchema = z.strictObject({
  name: z.string(),
  /** The target as it was. */
  before: z.number(),
  /** The target as it is; null where none has been trained yet. */
  after: z.number().nullable(),
  /** By the name of the teacher. */
  teachers: z.record(z.string(), z.number()),
});
export type DomainLoss = z.infer<typeof domainLossSchema>;

/** What a run came to: what `fusemesh up --json` prints. */
export const runResultSchema = z.strictObject({
  domains: z.array(domainLossSchema),
  /** Tokens that the target was trained on. */
  tokens: z.number(),
  /** Wall time of the command that finished the run. */
  seconds: z.number(),
  /** Directory of the fused model. */
  model: z.string(),
});
export type RunResult = z.infer<typeof runResultSchema>;

type Paint = ReturnType<typeof colors.createColors>;

/** The losses as a table, one line a domain; the change is coloured where the terminal can. */
export function lossTable(domains: readonly DomainLoss[], paint: Paint = colors): string {
  const teachers = Object.keys(domains[0]?.teachers ?? {});
  const heading = ['bits per byte', ...teachers, 'target before', 'target after', 'change'];
  const rows = domains.map(({ name, before, after, teachers: losses }) => [
    name,
    ...teachers.map((teacher) => losses[teacher].toFixed(3)),
    before.toFixed(3),
    after === null ? '–' : after.toFixed(3),
    after === null
      ? '–'
      : `${after < before ? '−' : '+'}${Math.abs(100 * (after / before - 1)).toFixed(1)} %`,
  ]);
  const [titles, ...cellsOfRows] = alignColumns([heading, ...rows]);
  return [
    paint.bold(titles.join('  ')),
    ...cellsOfRows.map((cells, i) => {
      const { before, after } = domains[i];
      const change = cells.length - 1;
      if (after !== null)
        cells[change] = after < before ? paint.green(cells[change]) : paint.red(cells[change]);
      return cells.join('  ');
    }),
  ].join('\n');
}
