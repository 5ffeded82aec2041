import type { RolloutStatus } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { counted, grouped, loss, missing, percent, rate } from '../format.ts';

/** A figure of what the target wrote for the last step that had some. */
export interface RolloutFigure {
  readonly name: string;
  readonly value: string;
  readonly unit: string;
  /** What stands below it. */
  readonly note: string;
}

/** The figures of the last step's rollouts; each has its dash before the first. */
export function rolloutFigures({ last }: Pick<RolloutStatus, 'last'>): RolloutFigure[] {
  const figure = (name: string, value: string, unit: string, note: string): RolloutFigure => ({
    name,
    value: last ? value : missing,
    unit,
    note,
  });
  const { documents = 0, endedByLength = 0, tokens = 0n } = last ?? {};
  return [
    figure('Written', rate(last?.tokensPerSecond), ' tokens/s', 'written and trained on'),
    figure('Length', grouped(Number(tokens) / documents), ' tokens', 'of a completion'),
    figure(
      'Ended by length',
      percent(endedByLength / documents),
      '',
      `${grouped(endedByLength)} of ${counted(documents, 'completion')}`,
    ),
    figure(
      'Staleness',
      grouped(last?.staleness, 1),
      ' steps',
      last ? `${grouped(Number(last.mostStaleness))} at most` : '',
    ),
    figure('KL to the judge', loss(last?.divergence), ' nats a token', 'on its own text'),
    figure('Repeats', percent(last?.repeatedShare, 1), '', 'of four tokens in a row'),
  ];
}

/** All that the run's target has written and the trainer has learnt from, in a sentence. */
export function rolloutTotals({ documents, tokens, endedByLength, dropped }: RolloutStatus): string {
  const count = Number(documents);
  if (count === 0) return dropped === 0n ? 'nothing yet' : `nothing yet, ${grouped(Number(dropped))} dropped`;
  const parts = [
    `${counted(count, 'completion')} since the run began`,
    counted(Number(tokens), 'token'),
    `${percent(Number(endedByLength) / count)} ended by length`,
    `${grouped(Number(dropped))} dropped`,
  ];
  return parts.join(', ');
}
