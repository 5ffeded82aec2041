type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
type Child = Node | string | undefined;

/** An HTML element with its attributes and children; what is undefined or false is left out. */
export const element = <Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] => furnish(document.createElement(tag), attributes, children);

/** An SVG element. */
export const svg = <Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] =>
  furnish(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

function furnish<E extends Element>(made: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** Sets properties of an element's style: the page's security policy forbids style attributes. */
export function styled<E extends HTMLElement | SVGElement>(
  made: E,
  properties: Readonly<Record<string, string>>,
): E {
  for (const [name, value] of Object.entries(properties)) made.style.setProperty(name, value);
  return made;
}

/** Sets a text only where it differs, so that a selection in it stays. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** A part of the page with a heading. */
export function panel(
  name: string,
  title: string,
  { note }: { readonly note?: Node } = {},
  ...children: Child[]
): HTMLElement {
  const id = `${name}-title`;
  const heading = element('header', { class: 'panel-head' }, element('h2', { id }, title), note);
  return element('section', { class: `panel ${name}`, 'aria-labelledby': id }, heading, ...children);
}

/** A chart in a frame; the chart has its own heading. */
export const chartPanel = (width: 'whole' | 'half' | 'third' | 'quarter', chart: HTMLElement): HTMLElement =>
  element('section', { class: `panel ${width}` }, chart);
