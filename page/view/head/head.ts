import type { GetStatusResponse } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { element, setText, styled } from '../element.ts';
import { percent } from '../format.ts';
import { headlineOf } from './headline.ts';
import { nameLine } from './name-line.ts';

/** The head of the page: which run, how far it is, and how long it will take. */
export function pageHead(): {
  readonly element: HTMLElement;
  show(status: GetStatusResponse): void;
} {
  const run = element('h1', {}, '…');
  const state = element('span', { class: 'state' });
  const facts = element('dl', { class: 'facts' });
  const done = element('span', { class: 'progress-done' });
  const progress = element(
    'div',
    {
      class: 'progress',
      role: 'progressbar',
      'aria-label': 'Progress of the run',
      'aria-valuemin': 0,
      'aria-valuemax': 100,
    },
    done,
  );
  const share = element('span', { class: 'progress-share' });
  return {
    element: element(
      'header',
      { class: 'head' },
      element('div', { class: 'head-row' }, nameLine(run, state), facts),
      element('div', { class: 'progress-row' }, progress, share),
    ),
    show(status) {
      const headline = headlineOf(status);
      setText(run, headline.run);
      setText(state, headline.state);
      state.className = `state ${headline.state}`;
      showFacts(facts, headline.facts);
      styled(done, { width: `${100 * headline.progress}%` });
      progress.setAttribute('aria-valuenow', String(Math.floor(100 * headline.progress)));
      setText(share, percent(headline.progress, headline.progress < 1 ? 1 : 0));
      document.title = headline.title;
    },
  };
}

/** Shows labels with values; where the labels are the same, only the values are set. */
export function showFacts(list: HTMLElement, facts: readonly (readonly [string, string])[]): void {
  const labels = facts.map(([label]) => label).join();
  if (list.dataset['labels'] !== labels) {
    list.dataset['labels'] = labels;
    list.replaceChildren(
      ...facts.map(([label]) => element('div', {}, element('dt', {}, label), element('dd'))),
    );
  }
  for (const [i, [, value]] of facts.entries()) setText(list.children[i].querySelector('dd')!, value);
}
