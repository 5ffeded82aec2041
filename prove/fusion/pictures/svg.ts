/** Colours with enough contrast on both white and black, because the pictures have no background. */
export const ink = '#767676';
export const colours = [
  '#4078c0',
  '#c2611f',
  '#2f8f5b',
  '#9a5fb8',
  '#b0812a',
  '#2b8c9e',
  '#c0506f',
  '#7a7f3a',
] as const;

export const colourOf = (i: number): string => colours[i % colours.length];

type Attributes = Readonly<Record<string, string | number>>;

/** One SVG element; its children are SVG already. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(short(value))}"`);
  const opening = `<${name}${written.join('')}`;
  return children.length === 0 ? `${opening}/>` : `${opening}>${children.join('')}</${name}>`;
}

/** Text in ink, unless the attributes say otherwise. */
export const label = (content: string, attributes: Attributes): string =>
  element('text', { fill: ink, ...attributes }, escaped(content));

export const line = (
  from: readonly [number, number],
  to: readonly [number, number],
  attributes: Attributes = {},
): string => element('line', { x1: from[0], y1: from[1], x2: to[0], y2: to[1], stroke: ink, ...attributes });

/** A whole picture. */
export function picture(
  title: string,
  { width, height }: { readonly width: number; readonly height: number },
  children: readonly string[],
): string {
  const svg = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      role: 'img',
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      'font-family': 'system-ui, sans-serif',
      'font-size': 12,
    },
    element('title', {}, escaped(title)),
    label(title, { x: 12, y: 20, 'font-size': 14, 'font-weight': 600 }),
    ...children.map((child) => `\n${child}`),
  );
  return `${svg}\n`;
}

const short = (value: string | number): string =>
  typeof value === 'number' ? String(Math.round(100 * value) / 100) : value;

const escaped = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
