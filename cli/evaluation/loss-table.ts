import colors from 'picocolors';
import type { DomainLoss } from '../stored/run-result.ts';
import { alignColumns } from '../view/table.ts';

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
