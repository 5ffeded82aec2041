import { type GetStatusResponse, TrainerState } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { stateName } from '../../../wire/messages/trainer-states.ts';
import { duration, grouped, percent } from '../format.ts';

/** What the head of the page says. */
export interface Headline {
  readonly run: string;
  readonly state: string;
  /** 0 to 1. */
  readonly progress: number;
  /** Of the browser's tab. */
  readonly title: string;
  /** Label and value. */
  readonly facts: readonly (readonly [label: string, value: string])[];
}

/** The head of the page for a status. */
export function headlineOf(status: GetStatusResponse): Headline {
  const { run, stepsTotal, lastStep, secondsLeft, skippedSteps } = status;
  const step = Number(lastStep?.step ?? 0n);
  const total = Number(stepsTotal);
  const progress = total === 0 ? 0 : Math.min(1, step / total);
  // 100 % is for a run whose last step is done.
  const shown = progress === 1 ? 1 : Math.floor(100 * progress) / 100;
  return {
    run,
    state: stateName(status.state) ?? 'unknown',
    progress,
    title: `${percent(shown)} · ${run}`,
    facts: [
      ['step', total === 0 ? grouped(step) : `${grouped(step)} of ${grouped(total)}`],
      ...(status.state === TrainerState.TRAINING
        ? [['time left', secondsLeft === undefined ? 'not known yet' : duration(secondsLeft)] as const]
        : []),
      ['tokens trained', grouped(Number(lastStep?.tokens ?? 0n))],
      ['documents', documentsOf(status)],
      ...(skippedSteps > 0n ? [['steps skipped', grouped(Number(skippedSteps))] as const] : []),
    ],
  };
}

const documentsOf = ({ lastStep, documentsTotal }: GetStatusResponse): string => {
  const done = grouped(Number(lastStep?.documents ?? 0n));
  return documentsTotal === 0n ? done : `${done} of ${grouped(Number(documentsTotal))}`;
};
