import { element } from '../element.ts';
import { mark } from './mark.ts';

/** The run's name under the project's, and the state that it is in. */
export const nameLine = (run: HTMLElement, state: HTMLElement): HTMLElement =>
  element(
    'div',
    { class: 'name' },
    mark(),
    element('div', {}, element('p', { class: 'project' }, 'FuseMesh'), run),
    state,
  );
