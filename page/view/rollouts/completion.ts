import type { Completion } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { coloursOf, trainerColour } from '../charts/colours.ts';
import { element, styled } from '../element.ts';
import { grouped, loss } from '../format.ts';

/**
 * What the target wrote, beside its prompt and what its judge made of it. Texts are set as text nodes, each in a block
 * of its own: neither markup nor marks of writing direction in them reach beyond it.
 *
 * @param teachers in the order of the run, for their colours
 */
export function completionElement(completion: Completion, teachers: readonly string[]): HTMLElement {
  const { document, weightsStep, prompt, text, unfinished } = completion;
  const number = grouped(Number(document));
  return element(
    'li',
    { class: 'completion' },
    element(
      'p',
      { class: 'completion-head quiet' },
      `Document ${number}, by the weights of step ${grouped(Number(weightsStep))}`,
      unfinished ? element('span', { class: 'cut' }, 'cut by length') : undefined,
    ),
    textBlock('prompt', `Prompt of document ${number}`, prompt, 'no prompt'),
    textBlock('written', `Completion of document ${number}`, text, 'wrote nothing'),
    judgement(completion, teachers),
  );
}

/** A text that can be scrolled, by the keyboard too. */
function textBlock(kind: 'prompt' | 'written', label: string, text: string, none: string): HTMLElement {
  return element(
    'div',
    { class: `said ${kind}`, role: 'group', 'aria-label': label, tabindex: 0, dir: 'auto' },
    text === '' ? element('span', { class: 'quiet' }, none) : text,
  );
}

function judgement(
  { judge, logProbability, judgeLogProbability }: Completion,
  teachers: readonly string[],
): HTMLElement {
  if (judge === '') return element('p', { class: 'judgement quiet' }, 'Nobody judged it.');
  const most = Math.max(-logProbability, -judgeLogProbability);
  const rows = [
    ['the target', trainerColour, logProbability],
    [judge, coloursOf(teachers)(judge), judgeLogProbability],
  ] as const;
  return element(
    'table',
    { class: 'judgement' },
    element('caption', { class: 'quiet' }, 'log-probability, nats a token'),
    element(
      'tbody',
      {},
      ...rows.map(([name, colour, value]) => rowOf(name, colour, value, -value / most)),
      element(
        'tr',
        { class: 'quiet' },
        element('th', { scope: 'row' }, 'difference'),
        element('td'),
        element('td', {}, loss(logProbability - judgeLogProbability)),
      ),
    ),
  );
}

/** @param share of the longest bar; the longer, the less the text was expected */
function rowOf(name: string, colour: string, value: number, share: number): HTMLElement {
  const bar = styled(element('span', { class: 'surprise', 'aria-hidden': 'true' }), {
    '--colour': `var(${colour})`,
    width: `${100 * (Number.isFinite(share) ? Math.max(0, share) : 0)}%`,
  });
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, name),
    element('td', { class: 'surprise-cell' }, bar),
    element('td', {}, loss(value)),
  );
}
