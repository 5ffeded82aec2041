import type { GetStatusResponse } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { element, panel, setText, styled, svg } from '../element.ts';
import { type Box, layoutOf, type Track } from './layout.ts';
import type { Rates } from './rates.ts';
import { type Part, type Scene, sceneOf } from './scene.ts';
import { paceOf } from './standing.ts';

/** The mesh as a picture, with a sentence that says who waits for whom. */
export function meshPicture(): {
  readonly element: HTMLElement;
  show(status: GetStatusResponse, rates: Rates): void;
} {
  const pace = element('p', { class: 'pace' });
  const drawing = svg('svg', { class: 'mesh-drawing', role: 'img' });
  const frame = element('div', { class: 'mesh-frame' }, drawing);
  let scene: Scene | undefined;
  const draw = () => {
    if (scene === undefined || frame.clientWidth === 0) return;
    const layout = layoutOf(scene, frame.clientWidth);
    drawing.setAttribute('width', String(layout.width));
    drawing.setAttribute('height', String(layout.height));
    drawing.replaceChildren(
      svg('defs', {}, arrowHead('arrow'), arrowHead('arrow-stopped')),
      // Where ways overlap, those that move are drawn above those that are stopped.
      ...layout.tracks.toSorted((a, b) => Number(b.way.stopped) - Number(a.way.stopped)).map(trackOf),
      ...scene.parts.map((part) => partOf(part, layout.boxes.get(part.id)!)),
      ...layout.tracks.map(labelOf),
    );
  };
  new ResizeObserver(draw).observe(frame);
  return {
    element: panel('mesh', 'The mesh', { note: pace }, frame),
    show(status, rates) {
      const { kind, text } = paceOf(status, rates);
      pace.className = `pace ${kind}`;
      setText(pace, text);
      scene = sceneOf(status, rates, new Date());
      drawing.setAttribute('aria-label', scene.parts.map(wordsOf).join('; '));
      draw();
    },
  };
}

const wordsOf = ({ title, figure, lines }: Part): string =>
  `${title}: ${[figure, ...lines].filter((text) => text !== undefined).join(', ')}`;

const arrowHead = (id: string): SVGElement =>
  svg(
    'marker',
    {
      id,
      class: id,
      viewBox: '0 0 8 8',
      refX: 2,
      refY: 4,
      markerWidth: 8,
      markerHeight: 8,
      markerUnits: 'userSpaceOnUse',
      orient: 'auto',
    },
    svg('path', { d: 'M0,0 L8,4 L0,8 Z' }),
  );

const trackOf = ({ path, way }: Track): SVGElement =>
  svg('path', {
    d: path,
    class: way.stopped ? 'way stopped' : 'way',
    'marker-end': `url(#${way.stopped ? 'arrow-stopped' : 'arrow'})`,
  });

const labelOf = ({ way, label: { x, y, anchor } }: Track): SVGElement | string =>
  way.label === '' ? '' : svg('text', { x, y, 'text-anchor': anchor, class: 'way-label' }, way.label);

function partOf({ title, figure, lines, standing, colour, fill }: Part, box: Box): SVGElement {
  const { x, y, width, height } = box;
  const left = x + 12;
  let at = y + 22;
  const texts: SVGElement[] = [];
  const write = (text: string, name: string, space: number) => {
    texts.push(svg('text', { x: name === 'title' && colour ? left + 16 : left, y: at, class: name }, text));
    at += space;
  };
  write(title, 'title', figure === undefined ? 18 : 22);
  if (figure !== undefined) write(figure, 'figure', 18);
  for (const [i, line] of lines.entries()) write(line, i === 0 ? `line ${standing}` : 'line', 17);
  const dot =
    colour && styled(svg('circle', { cx: left + 5, cy: y + 17.5, r: 5 }), { fill: `var(${colour})` });
  const bar = { x: left, y: y + height - 15, height: 5, rx: 2.5 };
  return svg(
    'g',
    { class: `part ${standing}` },
    svg('rect', { class: 'box', x, y, width, height, rx: 8 }),
    dot || undefined,
    ...texts,
    ...(fill === undefined
      ? []
      : [
          svg('rect', { ...bar, class: 'bar', width: width - 24 }),
          svg('rect', { ...bar, class: fill > 0.95 ? 'filled full' : 'filled', width: (width - 24) * fill }),
        ]),
  );
}
