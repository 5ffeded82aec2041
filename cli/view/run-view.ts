import colors from 'picocolors';
import { type GetStatusResponse, TrainerState } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import type { Paint } from './paint.ts';
import type { SeenRun } from './seen-run.ts';
import { sourceRows } from './source-rows.ts';
import { sparkline } from './sparkline.ts';
import { heldOutText, streamsText, timeText, troubles } from './status-text.ts';
import { whoWaits } from './who-waits.ts';
import { duration, losses, rate, stateWord, whole } from './words.ts';

const barCells = 24;
const curveCells = 24;

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
  const { lastStep, heldOut } = status;
  const rows: [string, string][] = [];
  if (lastStep) rows.push(['', progressBar(status, paint)]);
  rows.push(['trainer', lastStep ? trainerText(status) : 'waiting for the first documents …']);
  rows.push(...sourceRows(status, paint));
  rows.push(['who waits', whoWaits(status)]);
  if (lastStep)
    rows.push(['loss', `${losses(lastStep)}  ${paint.cyan(sparkline(curve, curveCells))}`.trimEnd()]);
  if (heldOut) rows.push(['held-out', heldOutText(heldOut)]);
  if (status.time) rows.push(['time', timeText(status.time)]);
  if (status.streams.length > 0) rows.push(['streams', streamsText(status.streams)]);
  const age = secondsSince(status.checkpointTime, now);
  if (age !== undefined) rows.push(['checkpoint', `step ${status.checkpointStep}, ${duration(age)} ago`]);
  const trouble = troubles(status);
  if (trouble !== '') rows.push(['trouble', paint.red(trouble)]);
  return rows;
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
