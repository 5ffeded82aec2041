import colors from 'picocolors';
import {
  type GetStatusResponse,
  type SourceStatus,
  TrainerState,
} from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import type { SeenRun } from './run-board.ts';
import { sparkline } from './sparkline.ts';
import {
  heldOutText,
  onPolicyText,
  rolloutTotals,
  streamsText,
  timeText,
  troubles,
  whoWaits,
  writtenText,
} from './status-text.ts';
import { duration, losses, percent, rate, stateWord, whole } from './words.ts';

/** Colours a text, or leaves it as it is. */
type Paint = ReturnType<typeof colors.createColors>;

const barCells = 24;
const curveCells = 24;
const waitsForRoom = 'waits for the trainer';

/** A run as several lines, those of a terminal that are drawn over one another. */
export function runView(seen: SeenRun, paint: Paint = colors): string[] {
  const { status, silent, fed } = seen;
  const width = Math.max(
    'checkpoint'.length,
    ...(status?.sources ?? []).map(({ teacher }) => teacher.length),
  );
  const row = (name: string, text: string) => `  ${name.padEnd(width)}  ${text}`;
  const lines = [heading(seen, paint)];
  if (fed) lines.push(row('corpus', `${whole(fed.published)} of ${whole(fed.total)} documents published`));
  if (status) lines.push(...statusRows(seen, status, paint).map(([name, text]) => row(name, text)));
  else lines.push(row('trainer', 'waiting for it …'));
  if (silent !== undefined)
    lines.push(paint.yellow(row('', `the trainer does not answer, trying again: ${silent}`)));
  return lines;
}

function heading({ run, now, seconds, status, silent }: SeenRun, paint: Paint): string {
  const since = seconds ?? secondsSince(status?.started, now);
  const state = silent !== undefined ? 'no answer' : status ? stateWord(status.state) : 'starting';
  const parts = [paint.bold(`run ${run}`), state];
  if (since !== undefined) parts.push(paint.dim(duration(since)));
  return parts.join('  ');
}

/** Rows of what the trainer says: a name and a text. */
function statusRows({ now, curve }: SeenRun, status: GetStatusResponse, paint: Paint): [string, string][] {
  const { lastStep, heldOut, rollouts } = status;
  const rows: [string, string][] = [];
  if (lastStep) rows.push(['', progressBar(status, paint)]);
  rows.push(['trainer', lastStep ? trainerText(status) : 'waiting for the first documents …']);
  rows.push(...sourceRows(status, paint));
  rows.push(['who waits', whoWaits(status)]);
  if (lastStep)
    rows.push(['loss', `${losses(lastStep)}  ${paint.cyan(sparkline(curve, curveCells))}`.trimEnd()]);
  if (heldOut) rows.push(['held-out', heldOutText(heldOut)]);
  if (rollouts) rows.push(['rollouts', rolloutTotals(rollouts)]);
  if (rollouts?.last) rows.push(['', writtenText(rollouts.last)], ['', onPolicyText(rollouts.last)]);
  if (status.time) rows.push(['time', timeText(status.time)]);
  if (status.streams.length > 0) rows.push(['streams', streamsText(status.streams)]);
  const age = secondsSince(status.checkpointTime, now);
  if (age !== undefined) rows.push(['checkpoint', `step ${status.checkpointStep}, ${duration(age)} ago`]);
  const trouble = troubles(status);
  if (trouble !== '') rows.push(['trouble', paint.red(trouble)]);
  return rows;
}

/** A row for each teacher: its name and how it does. */
function sourceRows({ sources, lastStep, stepsTotal }: GetStatusResponse, paint: Paint): [string, string][] {
  const documents = sources.reduce((sum, { documentsChosen }) => sum + documentsChosen, 0n);
  const isDone = lastStep !== undefined && lastStep.step === stepsTotal;
  const absent = isDone ? 'is done' : paint.yellow('is not attached');
  return sources.map((source) => [
    source.teacher,
    source.attached ? sourceText(source, Number(documents), paint) : absent,
  ]);
}

/** @param documents in which any source was chosen to teach */
function sourceText(source: SourceStatus, documents: number, paint: Paint): string {
  const pace = source.waitingForRoom
    ? paint.yellow(waitsForRoom)
    : rate(source.tokensPerSecond).padStart(waitsForRoom.length);
  const replicas = source.replicas > 1 ? [`${source.replicas} replicas`] : [];
  const parts = [
    ...replicas,
    `${whole(source.documentsScored)} scored`,
    `${whole(source.queueDepth)} queued`,
  ];
  if (source.documentsMissing > 0) parts.push(`owes ${whole(source.documentsMissing)}`);
  if (source.documentsWithout > 0n) parts.push(`missed ${whole(source.documentsWithout)}`);
  parts.push(`lag ${whole(source.lagDocuments)}`);
  if (documents > 0) parts.push(`chosen ${percent(Number(source.documentsChosen) / documents)}`);
  return `${pace}  ${parts.join(', ')}`;
}

function trainerText({
  lastStep,
  tokensPerSecond,
  documentsTotal,
  documentsWaiting,
}: GetStatusResponse): string {
  const { documents } = lastStep!;
  const of = documentsTotal > documents ? ` of ${whole(documentsTotal)}` : '';
  return `${rate(tokensPerSecond)}, ${whole(documents)}${of} documents trained on, ${whole(documentsWaiting)} partly here`;
}

function progressBar({ lastStep, stepsTotal, secondsLeft, state }: GetStatusResponse, paint: Paint): string {
  const share = stepsTotal > 0n ? Math.min(1, Number(lastStep!.step) / Number(stepsTotal)) : 0;
  const full = Math.round(barCells * share);
  const isGoing = secondsLeft !== undefined && state === TrainerState.TRAINING;
  const left = isGoing ? `, ${duration(secondsLeft)} left` : '';
  const bar = paint.cyan('█'.repeat(full)) + paint.dim('░'.repeat(barCells - full));
  return `${bar} step ${whole(lastStep!.step)} of ${whole(stepsTotal)}${left}`;
}

const secondsSince = (time: { readonly seconds: bigint } | undefined, now: number): number | undefined =>
  time === undefined ? undefined : now / 1000 - Number(time.seconds);
