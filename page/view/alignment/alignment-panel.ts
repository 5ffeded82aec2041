import type { GetAlignmentResponse } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { element, panel, setText } from '../element.ts';
import { grouped, percent } from '../format.ts';
import { candidatesOf } from './candidates.ts';
import { type Piece, segmentsOf, visible } from './segments.ts';

/** The latest document in the tokens of target and teacher, and for each what the target is taught about the next. */
export function alignmentPanel(): {
  readonly element: HTMLElement;
  show(alignment: GetAlignmentResponse): void;
} {
  const told = element('p', { class: 'quiet' }, 'No document has been trained on yet.');
  const tokens = element('div', { class: 'tokens', role: 'group' });
  const details = element('div', { class: 'details', 'aria-live': 'polite' });
  const body = element('div', { class: 'alignment-body' }, tokens, details);
  let shown: GetAlignmentResponse | undefined;

  const look = (index: number) => {
    if (shown === undefined) return;
    const { text, target } = shown;
    const textOf = (i: number) => text.slice(target[i].span?.begin, target[i].span?.end);
    const next = index + 1 < target.length ? textOf(index + 1) : undefined;
    details.replaceChildren(...candidatesOf(target[index], textOf(index), next));
    for (const chip of tokens.querySelectorAll('.looked-at')) chip.classList.remove('looked-at');
    tokens.querySelector(`[data-index="${index}"]`)?.classList.add('looked-at');
  };

  const render = (alignment: GetAlignmentResponse) => {
    shown = alignment;
    const { document, step, teacher, target } = alignment;
    const taught = target.filter(({ candidates }) => candidates.length > 0).length;
    setText(
      told,
      `Document ${grouped(Number(document))} of step ${grouped(Number(step))}, cut by the target (above) and by ` +
        `${teacher} (below), who taught ${percent(taught / Math.max(1, target.length))} of its ` +
        `${grouped(target.length)} tokens.`,
    );
    tokens.setAttribute('aria-label', `Tokens of the target; ${teacher}’s below them`);
    tokens.replaceChildren(...segmentsOf(alignment).flatMap((segment) => segmentOf(segment, alignment)));
    look(
      Math.max(
        0,
        target.findIndex(({ candidates }) => candidates.length > 1),
      ),
    );
  };

  const pointed = (event: Event) => {
    const index = (event.target as Element).closest<HTMLElement>('button[data-index]')?.dataset['index'];
    if (index !== undefined) look(Number(index));
  };
  tokens.addEventListener('pointerover', pointed);
  tokens.addEventListener('focusin', pointed);
  withArrowKeys(tokens, 'button[data-index]');

  return {
    element: panel('alignment', 'The latest document', {}, told, legend(), body),
    show(alignment) {
      if (alignment.step === shown?.step && alignment.document === shown.document) return;
      // Not while somebody points at the text or has the focus in it; the next answer is shown instead.
      if (body.matches(':hover') || body.contains(document.activeElement)) return;
      render(alignment);
    },
  };
}

const legend = (): HTMLElement =>
  element(
    'p',
    { class: 'token-legend quiet' },
    element('span', { class: 'token taught' }, 'taught'),
    ' by text and teacher ',
    element('span', { class: 'token alone' }, 'alone'),
    ' by the text alone. Point at a token, or use the arrow keys, for what is taught about the next one.',
  );

function segmentOf(
  { target, source }: { readonly target: readonly Piece[]; readonly source: readonly Piece[] },
  alignment: GetAlignmentResponse,
): HTMLElement[] {
  const made = element(
    'span',
    { class: 'segment' },
    element('span', { class: 'row' }, ...target.map((piece) => targetToken(piece, alignment))),
    element(
      'span',
      { class: 'row' },
      ...source.map(({ text }) => element('span', { class: 'token source' }, visible(text))),
    ),
  );
  const last = target.at(-1)?.text ?? source.at(-1)?.text ?? '';
  return last.endsWith('\n') ? [made, element('span', { class: 'line-end' })] : [made];
}

const targetToken = ({ index, text }: Piece, { target }: GetAlignmentResponse): HTMLElement =>
  element(
    'button',
    {
      type: 'button',
      class: target[index].candidates.length > 0 ? 'token taught' : 'token alone',
      'data-index': index,
      tabindex: index === 0 ? 0 : -1,
    },
    visible(text),
  );

const stepsOfKeys: Readonly<Record<string, number>> = {
  ArrowRight: 1,
  ArrowDown: 1,
  ArrowLeft: -1,
  ArrowUp: -1,
};

/** Makes a group of buttons one stop of the Tab key; the arrow keys, Home and End move within it. */
function withArrowKeys(group: HTMLElement, selector: string): void {
  const buttons = () => [...group.querySelectorAll<HTMLElement>(selector)];
  group.addEventListener('focusin', ({ target }) => {
    for (const button of buttons()) button.tabIndex = button === target ? 0 : -1;
  });
  group.addEventListener('keydown', (event) => {
    const all = buttons();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to =
      event.key === 'Home' ? 0 : event.key === 'End' ? all.length - 1 : at + (stepsOfKeys[event.key] ?? 0);
    if (at < 0 || to === at) return;
    event.preventDefault();
    all[Math.min(all.length - 1, Math.max(0, to))].focus();
  });
}
