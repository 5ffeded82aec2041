import type { GetStatusResponse } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { element, panel, setText } from '../element.ts';
import { completionElement } from './completion.ts';
import { type RolloutFigure, rolloutFigures, rolloutTotals } from './rollout-figures.ts';

/** What the target writes itself and who judges it; it is hidden where the run has no onPolicy. */
export function rolloutsPanel(charts: readonly HTMLElement[]): {
  readonly element: HTMLElement;
  show(status: Pick<GetStatusResponse, 'rollouts' | 'sources'>): void;
} {
  const totals = element('p', { class: 'quiet' });
  const tiles = rolloutFigures({}).map(figureTile);
  const completions = element('ol', { class: 'completions' });
  const heading = element(
    'div',
    { class: 'completions-head', 'aria-hidden': 'true' },
    ...['Prompt', 'What the target wrote', 'Who judged it, and how unlikely it was'].map((text) =>
      element('h3', {}, text),
    ),
  );
  const latest = element('div', { class: 'latest' }, heading, completions);
  const whole = panel(
    'rollouts',
    'What the target writes',
    { note: totals },
    element('ul', { class: 'figures' }, ...tiles.map(({ element }) => element)),
    element('div', { class: 'rollout-charts' }, ...charts),
    latest,
  );
  whole.hidden = true;
  let shown = '';

  return {
    element: whole,
    show({ rollouts, sources }) {
      whole.hidden = rollouts === undefined;
      if (rollouts === undefined) return;
      setText(totals, rolloutTotals(rollouts));
      for (const [i, figure] of rolloutFigures(rollouts).entries()) tiles[i].show(figure);
      const teachers = sources.map(({ teacher }) => teacher);
      const key = JSON.stringify([teachers, ...rollouts.latest.map(({ document }) => String(document))]);
      // Not while somebody reads one; the next answer is shown instead.
      if (key === shown || completions.matches(':hover') || completions.contains(document.activeElement)) {
        return;
      }
      shown = key;
      latest.hidden = rollouts.latest.length === 0;
      completions.replaceChildren(
        ...rollouts.latest.map((completion) => completionElement(completion, teachers)),
      );
    },
  };
}

function figureTile({ name, unit }: RolloutFigure) {
  const value = element('span', { class: 'figure-value' });
  const note = element('span', { class: 'figure-state' });
  return {
    element: element(
      'li',
      { class: 'figure' },
      element('span', { class: 'figure-name' }, name),
      element('span', { class: 'figure-number' }, value, element('span', { class: 'unit' }, unit)),
      note,
    ),
    show(figure: RolloutFigure) {
      setText(value, figure.value);
      setText(note, figure.note);
    },
  };
}
