import type { GetStatusResponse } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { coloursOf, trainerColour } from '../charts/colours.ts';
import { element, panel, setText, styled } from '../element.ts';
import { grouped, rate } from '../format.ts';
import { standingOf } from '../mesh/standing.ts';

/** Tokens per second, now: the trainer's large, the teachers' beside it. */
export function speedPanel(chart: HTMLElement): {
  readonly element: HTMLElement;
  show(status: GetStatusResponse): void;
} {
  const trainer = figure('trainer', trainerColour);
  trainer.element.classList.add('first');
  const list = element('ul', { class: 'figures' });
  let teachers = new Map<string, ReturnType<typeof figure>>();
  return {
    element: panel('speed', 'Speed', {}, element('div', { class: 'speed-body' }, list, chart)),
    show({ tokensPerSecond, lastStep, sources }) {
      const names = sources.map(({ teacher }) => teacher);
      if (names.join() !== [...teachers.keys()].join() || list.childElementCount === 0) {
        const colourOf = coloursOf(names);
        teachers = new Map(names.map((name) => [name, figure(name, colourOf(name))]));
        list.replaceChildren(trainer.element, ...Array.from(teachers.values(), ({ element }) => element));
      }
      trainer.show(
        tokensPerSecond,
        lastStep ? `${grouped(lastStep.seconds, 2)} s a step` : 'no step yet',
        'works',
      );
      for (const source of sources) {
        const { kind, text } = standingOf(source);
        teachers.get(source.teacher)!.show(source.tokensPerSecond, text, kind);
      }
    },
  };
}

function figure(name: string, colour: string) {
  const value = element('span', { class: 'figure-value' });
  const state = element('span', { class: 'figure-state' });
  const key = styled(element('span', { class: 'key' }), { '--colour': `var(${colour})` });
  return {
    element: element(
      'li',
      { class: 'figure', 'data-name': name },
      element('span', { class: 'figure-name' }, key, name),
      element('span', { class: 'figure-number' }, value, element('span', { class: 'unit' }, ' tokens/s')),
      state,
    ),
    show(tokensPerSecond: number, text: string, kind: string) {
      setText(value, rate(tokensPerSecond));
      setText(state, text);
      state.className = `figure-state ${kind}`;
    },
  };
}
