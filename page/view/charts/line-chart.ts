import uPlot from 'uplot';
import { element, setText, styled } from '../element.ts';
import { grouped } from '../format.ts';
import { type Line, lastOf, summaryOf, withGaps } from './line.ts';
import { type ChartOptions, plotOptions } from './plot-options.ts';

export interface LineChart {
  readonly element: HTMLElement;
  /** @param steps in ascending order, one for each value */
  show(steps: readonly number[], lines: readonly Line[]): void;
}

/** Lines over the steps of a run. The legend tells the values under the pointer, or else the last ones. */
export function lineChart(options: ChartOptions): LineChart {
  const { title, unit, format, height } = options;
  const legend = element('ul', { class: 'legend' });
  const at = element('span', { class: 'quiet' });
  const canvas = styled(element('div', { class: 'plot', role: 'img', 'aria-label': title }), {
    height: `${height}px`,
  });
  const caption = element(
    'figcaption',
    {},
    element(
      'h3',
      {},
      title,
      unit === undefined ? undefined : element('span', { class: 'quiet' }, ` ${unit}`),
    ),
    at,
  );
  const figure = element('figure', { class: 'chart' }, caption, legend, canvas);
  let plot: uPlot | undefined;
  let shown: { steps: readonly number[]; lines: readonly Line[] } = { steps: [], lines: [] };

  const showLegend = () => {
    const place = plot?.cursor.idx ?? undefined;
    setText(at, place === undefined ? 'by step' : `step ${grouped(shown.steps[place])}`);
    shown.lines.forEach((line, i) => {
      const value = place === undefined ? lastOf(line) : line.values[place];
      setText(legend.children[i].querySelector('.value')!, format(value));
    });
  };

  const draw = () => {
    plot?.destroy();
    legend.replaceChildren(...shown.lines.map(legendItem));
    plot = new uPlot(plotOptions(options, shown.lines, canvas.clientWidth || 300, showLegend), [[]], canvas);
  };
  new ResizeObserver(() => plot?.setSize({ width: canvas.clientWidth, height })).observe(canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => plot?.redraw(false, true));

  return {
    element: figure,
    show(steps, lines) {
      const anew = plot === undefined || lookOf(lines) !== lookOf(shown.lines);
      shown = { steps, lines };
      if (anew) draw();
      plot?.setData([[...steps], ...lines.map(withGaps)]);
      canvas.setAttribute('aria-label', summaryOf(title, steps, lines, format));
      figure.classList.toggle('empty', steps.length === 0);
      showLegend();
    },
  };
}

const legendItem = ({ name, colour, dash }: Line): HTMLElement =>
  element(
    'li',
    {},
    styled(element('span', { class: dash ? 'key dashed' : 'key' }), { '--colour': `var(${colour})` }),
    element('span', { class: 'name' }, name),
    element('span', { class: 'value' }),
  );

/** The chart is made again when this changes. */
const lookOf = (lines: readonly Line[]): string =>
  JSON.stringify(lines.map(({ name, colour, dash, quiet }) => [name, colour, dash, quiet]));
