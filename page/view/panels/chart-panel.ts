import { element } from '../element.ts';

/** A chart in a frame; the chart has its own heading. */
export const chartPanel = (width: 'whole' | 'half' | 'third' | 'quarter', chart: HTMLElement): HTMLElement =>
  element('section', { class: `panel ${width}` }, chart);
