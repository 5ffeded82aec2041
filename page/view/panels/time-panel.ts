import type { StepTime } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { colourAt, trainerColour } from '../charts/colours.ts';
import { element, panel, setText } from '../element.ts';
import { duration, grouped } from '../format.ts';
import { shareBar } from './share-bar.ts';

const phases = [
  ['compute', 'forward and backward', trainerColour],
  ['optimizer', 'optimizer', colourAt(4)],
  ['wait', 'waiting for documents', colourAt(0)],
  ['align', 'waiting for alignment', colourAt(1)],
  ['checkpoint', 'waiting for checkpoints', colourAt(2)],
  ['evaluate', 'held-out texts', colourAt(3)],
] as const;

/** Where the wall time of the trainer goes. */
export function timePanel(): { readonly element: HTMLElement; show(time: StepTime | undefined): void } {
  const total = element('p', { class: 'quiet' });
  const bar = shareBar('Where the time goes', spent);
  return {
    element: panel('time', 'Where the time goes', { note: total }, bar.element),
    show(time) {
      const shares = phases.map(([phase, name, colour]) => ({ name, colour, value: time?.[phase] ?? 0 }));
      const all = shares.reduce((sum, { value }) => sum + value, 0);
      setText(total, all === 0 ? 'nothing yet' : `of ${duration(all)}, since the trainer began`);
      bar.show(shares);
    },
  };
}

/** Below ten seconds with one decimal. */
const spent = (seconds: number): string =>
  seconds < 9.95 ? `${grouped(seconds, 1)}\u202fs` : duration(seconds);
