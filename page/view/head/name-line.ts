import { element, styled, svg } from '../element.ts';

/** The run's name under the project's, and the state that it is in. */
export const nameLine = (run: HTMLElement, state: HTMLElement): HTMLElement =>
  element(
    'div',
    { class: 'name' },
    mark(),
    element('div', {}, element('p', { class: 'project' }, 'FuseMesh'), run),
    state,
  );

/** Three sources that become one. */
const mark = (): SVGElement =>
  svg(
    'svg',
    { class: 'mark', viewBox: '0 0 32 32', 'aria-hidden': 'true' },
    ...['M7 6C16 6 15 16 24 16', 'M7 16h17', 'M7 26C16 26 15 16 24 16'].map((d) => svg('path', { d })),
    ...[6, 16, 26].map((cy, i) => dot(7, cy, 4, `--series-${i + 1}`)),
    dot(24, 16, 6, '--series-trainer'),
  );

const dot = (cx: number, cy: number, r: number, colour: string): SVGElement =>
  styled(svg('circle', { cx, cy, r }), { fill: `var(${colour})` });
