import { TrainerState } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { element, setText } from '../element.ts';

/** Says since when the trainer has not answered, as what the page shows is that old. */
export function answeringNote(): {
  readonly element: HTMLElement;
  show(yes: boolean, state: TrainerState | undefined): void;
} {
  const note = element('p', { class: 'answering', role: 'status' });
  let since: Date | undefined;
  return {
    element: note,
    show(yes, state) {
      document.documentElement.classList.toggle('stale', !yes && state !== TrainerState.FINISHED);
      since = yes ? undefined : (since ?? new Date());
      setText(note, since === undefined ? '' : textOf(since, state));
    },
  };
}

function textOf(since: Date, state: TrainerState | undefined): string {
  const time = since.toLocaleTimeString('en-GB');
  if (state === undefined) return 'The trainer does not answer yet; this page goes on asking.';
  if (state === TrainerState.FINISHED) return `The run is finished, and the trainer has gone at ${time}.`;
  return `The trainer has not answered since ${time}. What stands here is of before; this page goes on asking.`;
}
