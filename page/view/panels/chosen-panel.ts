import { coloursOf } from '../charts/colours.ts';
import { panel } from '../element.ts';
import { counted } from '../format.ts';
import { shareBar } from './share-bar.ts';

/** Who was chosen to teach, and how often. */
export function chosenPanel(title = 'Who teaches'): {
  readonly element: HTMLElement;
  /** @param chosen documents by teacher, in the order of the run */
  show(chosen: ReadonlyMap<string, number>): void;
} {
  const bar = shareBar(title, (count) => counted(Math.round(count), 'document'));
  return {
    element: panel('chosen', title, {}, bar.element),
    show(chosen) {
      const colourOf = coloursOf([...chosen.keys()]);
      bar.show(Array.from(chosen, ([name, value]) => ({ name, value, colour: colourOf(name) })));
    },
  };
}
