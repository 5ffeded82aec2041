import type { Part, Scene, Way } from './scene.ts';

/** Where a part stands, in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** How a way is drawn. */
export interface Track {
  readonly way: Way;
  /** The data of an SVG path with an arrow at its end. */
  readonly path: string;
  readonly label: { readonly x: number; readonly y: number; readonly anchor: 'start' | 'middle' | 'end' };
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: ReadonlyMap<string, Box>;
  readonly tracks: readonly Track[];
}

const columns = ['corpus', 'documents', 'teachers', 'distributions', 'trainer'] as const;

/** On a narrower page the mesh is drawn from top to bottom. */
const wideFrom = 1000;

/** Length of the arrow beyond a way's end. */
const arrow = 6;

/** A box is as high as what is written in it. */
export const heightOf = ({ figure, lines, fill }: Part): number =>
  34 + (figure === undefined ? 0 : 22) + 17 * lines.length + (fill === undefined ? 0 : 12);

/** Places the parts of a mesh on a width, in pixels. */
export const layoutOf = (scene: Scene, width: number): Layout =>
  width >= wideFrom ? fromLeft(scene, width) : fromTop(scene, width);

const gap = 14;
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

function fromLeft({ parts, ways }: Scene, width: number): Layout {
  // Of the width: the columns, and the spaces between them for ways and labels.
  const [shares, spaces] = [
    [0.11, 0.13, 0.19, 0.13, 0.14],
    [0.03, 0.045, 0.145, 0.08],
  ];
  const stacks = columns.map((column) => parts.filter((part) => part.column === column));
  const heights = stacks.map((stack) => sum(stack.map(heightOf)) + gap * (stack.length - 1));
  const height = Math.max(...heights) + 2;
  const boxes = new Map<string, Box>();
  let x = 1;
  stacks.forEach((stack, i) => {
    let y = 1 + (height - 2 - heights[i]) / 2;
    for (const part of stack) {
      const box = { x, y, width: shares[i] * (width - 2), height: heightOf(part) };
      boxes.set(part.id, box);
      y += box.height + gap;
    }
    x += (shares[i] + (spaces[i] ?? 0)) * (width - 2);
  });
  const tracks = ways.map((way): Track => {
    const [from, to] = [boxes.get(way.from)!, boxes.get(way.to)!];
    if (from.x === to.x) return { way, ...downwards(from, to) };
    const [x1, y1] = [from.x + from.width, from.y + from.height / 2];
    const [x2, y2] = [to.x - arrow, to.y + to.height / 2];
    // Straight below its label, then in a curve.
    const straight = x1 + (way.label === '' ? 0 : Math.min(widthOf(way.label), x2 - x1 - 28));
    const bend = (x2 - straight) / 2;
    const path = `M${x1},${y1} H${straight} C${straight + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`;
    return { way, path, label: { x: x1 + 8, y: y1 - 6, anchor: 'start' } };
  });
  return { width, height, boxes, tracks };
}

/** Roughly how wide a label is, in pixels. */
const widthOf = (label: string): number => 8 + 6 * label.length;

function downwards(from: Box, to: Box): Pick<Track, 'path' | 'label'> {
  const x = from.x + from.width / 2;
  const [y1, y2] = [from.y + from.height, to.y - arrow];
  return { path: `M${x},${y1} V${y2}`, label: { x: x + 10, y: (y1 + y2) / 2 + 5, anchor: 'start' } };
}

/** Width left free at both sides of the teachers for the ways to and from them. */
const rail = 26;
/** Between rows, with room for a label. */
const step = 36;

function fromTop({ parts, ways }: Scene, width: number): Layout {
  const boxes = new Map<string, Box>();
  const order = [...columns, 'letters'] as const;
  const rows = order.map((column) =>
    parts.filter((part) =>
      column === 'letters' ? part.id === 'letters' : part.column === column && part.id !== 'letters',
    ),
  );
  let y = 1;
  for (const row of rows) {
    for (const part of row) {
      const inset = part.column === 'teachers' ? rail : 0;
      const box = { x: 1 + inset, y, width: width - 2 - 2 * inset, height: heightOf(part) };
      boxes.set(part.id, box);
      const last = part === row.at(-1);
      y += box.height + (last || part.column !== 'teachers' ? step : labelled);
    }
  }
  // No way to the dead letters is drawn: at the end of the column it would cross other parts.
  const drawn = ways.filter(({ to }) => to !== 'letters');
  const tracks = drawn.map((way): Track => {
    const [from, to] = [boxes.get(way.from)!, boxes.get(way.to)!];
    if (to.x > from.x) {
      const [x, y2] = [from.x + rail / 2 - 4, to.y + to.height / 2];
      const path = `M${x},${from.y + from.height} V${y2} H${to.x - arrow}`;
      return { way, path, label: { x, y: y2, anchor: 'start' } };
    }
    if (to.x < from.x) {
      const right = from.x + from.width;
      const [x, y1] = [right + rail / 2 + 4, from.y + from.height / 2];
      const path = `M${right},${y1} H${x} V${to.y - arrow}`;
      return { way, path, label: { x: right - 2, y: from.y + from.height + 15, anchor: 'end' } };
    }
    return { way, ...downwards(from, to) };
  });
  return { width, height: y - step + 2, boxes, tracks };
}

/** Between teachers, with the label of the one above. */
const labelled = 24;
