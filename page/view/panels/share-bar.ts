import { element, setText, styled } from '../element.ts';
import { percent } from '../format.ts';

/** A part of a whole. */
export interface Share {
  readonly name: string;
  /** A CSS variable. */
  readonly colour: string;
  readonly value: number;
}

/** A bar whose parts make a whole, and a table of them below. */
export function shareBar(
  title: string,
  format: (value: number) => string,
): { readonly element: HTMLElement; show(shares: readonly Share[]): void } {
  const bar = element('div', { class: 'share-bar', 'aria-hidden': 'true' });
  const body = element('tbody');
  const table = element('table', { class: 'shares', 'aria-label': title }, body);
  let names = '';
  return {
    element: element('div', { class: 'share' }, bar, table),
    show(shares) {
      const whole = shares.reduce((sum, { value }) => sum + value, 0);
      if (JSON.stringify(shares.map(({ name }) => name)) !== names) {
        names = JSON.stringify(shares.map(({ name }) => name));
        bar.replaceChildren(...shares.map(({ colour }) => coloured('span', colour)));
        body.replaceChildren(...shares.map(rowOf));
      }
      shares.forEach(({ value }, i) => {
        const part = whole === 0 ? 0 : value / whole;
        styled(bar.children[i] as HTMLElement, { 'flex-grow': String(part) });
        bar.children[i].classList.toggle('none', part === 0);
        const [, amount, share] = body.children[i].querySelectorAll('th, td');
        setText(amount, format(value));
        setText(share, percent(part, part > 0 && part < 0.1 ? 1 : 0));
      });
    },
  };
}

const coloured = (tag: 'span', colour: string): HTMLElement =>
  styled(element(tag, { class: 'part' }), { '--colour': `var(${colour})` });

const rowOf = ({ name, colour }: Share): HTMLElement =>
  element(
    'tr',
    {},
    element(
      'th',
      { scope: 'row' },
      styled(element('span', { class: 'key' }), { '--colour': `var(${colour})` }),
      name,
    ),
    element('td'),
    element('td'),
  );
