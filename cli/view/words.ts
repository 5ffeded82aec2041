import type { TrainerState, TrainingStep } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { stateName } from '../../wire/messages/trainer-states.ts';

export const stateWord = (state: TrainerState): string => stateName(state) ?? 'in no known state';

/** 12345.6 → "12,346". */
export const whole = (value: number | bigint): string =>
  (typeof value === 'bigint' ? value : Math.round(value)).toLocaleString('en-US');

export const rate = (tokensPerSecond: number): string => `${whole(tokensPerSecond)} tokens/s`;

export const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** 9_140_000 → "9.1 MB". */
export function byteSize(bytes: number): string {
  if (bytes < 1_000) return `${whole(bytes)} B`;
  const power = Math.min(4, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(1)} ${'kMGT'[power - 1]}B`;
}

/** 75 → "1:15". */
export function duration(seconds: number): string {
  const all = Math.max(0, Math.round(seconds));
  const hours = Math.floor(all / 3600);
  const minutes = Math.floor((all % 3600) / 60);
  const rest = (all % 60).toString().padStart(2, '0');
  return hours > 0 ? `${hours}:${minutes.toString().padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

/** The losses of a step; one that was skipped has none. */
export function losses({ loss, causalLoss, fusionLoss, skipped }: TrainingStep): string {
  if (skipped) return 'none, the step was skipped';
  return `${loss.toFixed(4)}  (text ${causalLoss.toFixed(4)}, fusion ${fusionLoss.toFixed(4)})`;
}
