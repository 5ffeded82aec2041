import type { RunChart } from '../charts/run-charts.ts';
import { element, panel } from '../element.ts';
import { counted } from '../format.ts';
import { type RolloutCurves, writtenIn } from '../history/rollout-curves.ts';

/** What the target wrote itself over the run. */
export function writtenPanel(curves: RolloutCurves, charts: readonly RunChart[]): HTMLElement {
  const { documents, tokens } = writtenIn(curves);
  const note = element(
    'p',
    { class: 'quiet' },
    `${counted(documents, 'completion')}, ${counted(tokens, 'token')}`,
  );
  const grid = element('div', { class: 'rollout-charts' }, ...charts.map(({ element }) => element));
  return panel('rollouts', 'What the target wrote', { note }, grid);
}
