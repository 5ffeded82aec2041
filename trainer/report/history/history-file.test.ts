import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLog } from '../../../process/log/log.ts';
import { noFigures } from '../../../wire/messages/figure-values.ts';
import { HistoryFile, readHistory } from './history-file.ts';
import { historyMessage } from './history-message.ts';
import { type HistoryPoint, merged } from './history-point.ts';
import { RunHistory } from './run-history.ts';

const log = createLog('test', { level: 'silent' });
let output: string;
beforeEach(async () => {
  output = await mkdtemp(join(tmpdir(), 'history-'));
});
afterEach(() => rm(output, { recursive: true }));

const pointOf = (step: number): HistoryPoint => ({
  ...noFigures,
  step,
  time: step,
  steps: 1,
  tokens: 100,
  seconds: 2,
  waitSeconds: 0.5,
  loss: 1 / 3,
  causalLoss: 2,
  fusionLoss: 3,
  gradientNorm: 1,
  learningRate: 1e-4,
  alignedShare: 0.9,
  chosen: { fiction: 3, manuals: 1 },
  without: { manuals: 2 },
  tokensPerSecond: { fiction: 50, manuals: 60 },
});
const heldOut = (step: number) => ({ step, bitsPerByte: { manuals: 3 - step / 10 } });

async function write(step: number, steps: readonly number[]): Promise<RunHistory> {
  const history = new RunHistory();
  const file = await HistoryFile.resume(output, { step, history, log });
  for (const each of steps) {
    file.append(pointOf(each));
    if (each % 2 === 0) file.append({ heldOut: heldOut(each) });
  }
  await file.close();
  return history;
}

it('is empty where nothing was written', async () => {
  expect(await readHistory(output)).toMatchObject({ points: [], heldOut: [] });
});

it('resumes behind a checkpoint, as if the steps after it had never been', async () => {
  expect((await write(0, [1, 2, 3, 4])).points).toEqual([]);
  const goneOn = await write(3, [4, 5]);
  expect(goneOn.points).toEqual([1, 2, 3].map(pointOf));
  expect(goneOn.heldOut).toEqual([heldOut(2)]);
  const { points, heldOut: looks } = await readHistory(output);
  expect(points).toEqual([1, 2, 3, 4, 5].map(pointOf));
  expect(looks).toEqual([heldOut(2), heldOut(4)]);
});

it('keeps what the target wrote, and shows its means', async () => {
  const rollouts = {
    ...{ documents: 2, tokens: 60, endedByLength: 1, staleness: 3, logRatio: 24 },
    ...{ fourGrams: 50, repeatedFourGrams: 5 },
  };
  await appendFile(join(output, 'history.jsonl'), `${JSON.stringify({ ...pointOf(1), rollouts })}\n`);
  await write(1, [2]);
  const history = await readHistory(output);
  expect(history.points).toEqual([{ ...pointOf(1), rollouts }, pointOf(2)]);
  expect(historyMessage(history).rollouts).toMatchObject({
    documents: [2, 0],
    length: [30, Number.NaN],
    endedByLengthShare: [0.5, Number.NaN],
    staleness: [1.5, Number.NaN],
    divergence: [0.4, Number.NaN],
    repeatedShare: [0.1, Number.NaN],
    tokensPerSecond: [30, 0],
  });
  const once = merged(history.points[0], history.points[1]);
  expect(once.rollouts).toEqual(rollouts);
  expect(merged(once, history.points[0]).rollouts).toMatchObject({ documents: 4, logRatio: 48 });
});

it('has no columns of rollouts where the target wrote nothing', async () => {
  await write(0, [1]);
  expect(historyMessage(await readHistory(output)).rollouts).toBeUndefined();
});

it('passes over a line that a kill has torn', async () => {
  await write(0, [1, 2]);
  await appendFile(join(output, 'history.jsonl'), '{"step":3,"ti');
  expect((await readHistory(output)).points).toEqual([1, 2].map(pointOf));
  await write(2, [3]);
  expect((await readHistory(output)).points).toEqual([1, 2, 3].map(pointOf));
  expect((await readFile(join(output, 'history.jsonl'), 'utf8')).endsWith('}\n')).toBe(true);
});

it('becomes columns', async () => {
  await write(0, [1, 2]);
  const message = historyMessage(await readHistory(output));
  expect(message).toMatchObject({ step: [1n, 2n], tokensPerSecond: [50, 50], waitShare: [0.25, 0.25] });
  expect(message.sources).toMatchObject([
    { teacher: 'fiction', tokensPerSecond: [50, 50], chosenShare: [0.75, 0.75] },
    { teacher: 'manuals', tokensPerSecond: [60, 60], chosenShare: [0.25, 0.25] },
  ]);
  expect(message.heldOut).toMatchObject([{ step: 2n, bitsPerByte: { manuals: 2.8 } }]);
});
