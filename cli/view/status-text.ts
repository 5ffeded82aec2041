import type {
  GetStatusResponse,
  HeldOut,
  RolloutStatus,
  StepRollouts,
  StepTime,
  StreamStatus,
} from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { percent, rate, whole } from './words.ts';

const phases = ['compute', 'optimizer', 'wait', 'align', 'checkpoint', 'evaluate'] as const;

/** Where the time of the steps went, the largest first; what takes less than half a percent is left out. */
export function timeText(time: StepTime): string {
  const total = phases.reduce((sum, phase) => sum + time[phase], 0);
  if (total === 0) return 'none yet';
  return phases
    .map((phase) => ({ phase, share: time[phase] / total }))
    .filter(({ share }) => share >= 0.005)
    .sort((a, b) => b.share - a.share)
    .map(({ phase, share }) => `${phase} ${percent(share)}`)
    .join(', ');
}

/** Losses on held-out texts, by domain. */
export function heldOutText({ bitsPerByte, step }: HeldOut): string {
  const domains = Object.entries(bitsPerByte).map(([domain, bits]) => `${domain} ${bits.toFixed(3)}`);
  return `${domains.join(', ')} bits per byte  (step ${whole(step)})`;
}

/** What the target wrote for the last step that had some. */
export const writtenText = ({ documents, tokens, endedByLength, ...last }: StepRollouts): string =>
  [
    rate(last.tokensPerSecond),
    `${whole(Number(tokens) / documents)} tokens each`,
    `${percent(endedByLength / documents)} ended by length`,
    `${percent(last.repeatedShare)} repeats`,
  ].join(', ');

/** How far the target is from who judges what it writes, in nats a token. */
export const divergenceText = ({ divergence }: Pick<StepRollouts, 'divergence'>): string =>
  `KL to the judge ${Number.isNaN(divergence) ? 'not known' : divergence.toFixed(4)}`;

/** How far the target is from who judges what it writes, and how old the weights were that wrote it. */
export const onPolicyText = ({ staleness, mostStaleness, ...last }: StepRollouts): string =>
  `${divergenceText(last)}, ${staleness.toFixed(1)} steps stale (${mostStaleness} at most)`;

/** All that the target has written for the run. */
export function rolloutTotals({ documents, tokens, endedByLength, dropped }: RolloutStatus): string {
  const parts = [`${whole(documents)} completions, ${whole(tokens)} tokens`];
  if (documents > 0n) parts.push(`${percent(Number(endedByLength) / Number(documents))} ended by length`);
  if (dropped > 0n) parts.push(`${whole(dropped)} dropped`);
  return parts.join(', ');
}

/** How full the streams of a run are. */
export function streamsText(streams: readonly StreamStatus[]): string {
  return streams
    .map(({ name, messages, mostMessages }) =>
      mostMessages > 0n
        ? `${name} ${whole(messages)} of ${whole(mostMessages)}`
        : `${name} ${whole(messages)}`,
    )
    .join(', ');
}

/** What has gone wrong without ending the run; empty where nothing has. */
export function troubles({ skippedSteps, sources }: GetStatusResponse): string {
  const parts: string[] = [];
  if (skippedSteps > 0n) parts.push(`skipped steps ${whole(skippedSteps)}`);
  const dead = sources.filter(({ deadLetters }) => deadLetters > 0n);
  if (dead.length > 0) {
    const counts = dead.map(({ teacher, deadLetters }) => `${teacher} ${whole(deadLetters)}`);
    parts.push(`dead letters ${counts.join(', ')}`);
  }
  return parts.join('; ');
}

/** Share of a step that may go into waiting before we call it so. */
const noticeable = 0.1;

/** Who waits for whom, in a few words. */
export function whoWaits({ sources, lastStep, rollouts }: GetStatusResponse): string {
  const parts: string[] = [];
  const full = sources.filter(({ waitingForRoom }) => waitingForRoom).map(({ teacher }) => teacher);
  if (full.length > 0) parts.push(`${full.join(', ')} ${full.length > 1 ? 'wait' : 'waits'} for the trainer`);
  const waited = lastStep && lastStep.seconds > 0 ? lastStep.waitSeconds / lastStep.seconds : 0;
  if (waited >= noticeable) {
    const owing = sources
      .filter(({ documentsMissing, leftOut }) => documentsMissing > 0 && !leftOut)
      .map(({ teacher }) => teacher);
    const documents = rollouts ? 'the corpus or what the target writes' : 'documents';
    const whom = owing.length > 0 ? owing.join(', ') : documents;
    parts.push(`the trainer waits for ${whom} (${percent(waited)} of the last step)`);
  }
  const leftOut = sources.filter((source) => source.leftOut).map(({ teacher }) => teacher);
  if (leftOut.length > 0) parts.push(`the run goes on without ${leftOut.join(', ')}`);
  return parts.length > 0 ? parts.join('; ') : 'nobody';
}
