import { element, panel } from '../element.ts';
import { loss, missing, percent } from '../format.ts';
import type { DomainResult } from '../report-data.ts';

/** Held-out loss of every model, one line a domain. The best of each line is set in bold. */
export function resultTable(domains: readonly DomainResult[]): HTMLElement {
  const teachers = Object.keys(domains[0].teachers);
  // The target comes first; on a phone one scrolls to the teachers.
  const heading = ['', 'target before', 'target after', 'change', ...teachers];
  const note = element('p', { class: 'quiet' }, 'bits per byte, less is better');
  return panel(
    'result',
    'Held-out texts',
    { note },
    element(
      'div',
      { class: 'table-frame', tabindex: 0 },
      element(
        'table',
        { class: 'result-table' },
        element(
          'thead',
          {},
          element('tr', {}, ...heading.map((text) => element('th', { scope: 'col' }, text))),
        ),
        element('tbody', {}, ...domains.map((domain) => rowOf(domain, teachers))),
      ),
    ),
  );
}

function rowOf({ name, before, after, teachers }: DomainResult, names: readonly string[]): HTMLElement {
  const all = [before, after, ...names.map((teacher) => teachers[teacher])];
  const best = Math.min(...all.filter((value) => value !== null));
  const cells = all.map((value) =>
    element('td', { class: value === best ? 'best' : undefined }, loss(value)),
  );
  const better = after === null ? undefined : after < before ? 'better' : 'worse';
  const change = element('td', { class: better }, changeOf(before, after));
  return element('tr', {}, element('th', { scope: 'row' }, name), ...cells.toSpliced(2, 0, change));
}

const changeOf = (before: number, after: number | null): string =>
  after === null ? missing : `${after < before ? '−' : '+'}${percent(Math.abs(after / before - 1), 1)}`;
