import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fromJson } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { loadRunConfig } from '../../process/config/load-config.ts';
import { createLog } from '../../process/log/log.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { HistoryFile } from '../../trainer/report/history/history-file.ts';
import { RunHistory } from '../../trainer/report/history/run-history.ts';
import { GetHistoryResponseSchema } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { noFigures } from '../../wire/messages/figure-values.ts';
import { storeResult } from '../stored/run-result.ts';
import { runReport } from './run-report.ts';

const runFile = 'examples/demo.yaml';
const now = new Date('2026-01-12T10:00:00Z');

/** The demonstration with an output directory of its own. */
const demo = async () =>
  loadRunConfig(runFile, { overrides: [`trainer.output=${await temporaryDirectory()}`], environment: {} });

/** Leaves the history of a few steps as a trainer does. */
async function train(output: string, steps: number): Promise<void> {
  const log = createLog('test', { level: 'silent' });
  const file = await HistoryFile.resume(output, { step: 0, history: new RunHistory(), log });
  for (let step = 1; step <= steps; step++) {
    file.append({
      ...noFigures,
      step,
      time: 1_768_210_000 + step,
      steps: 1,
      tokens: 900,
      seconds: 0.5,
      waitSeconds: 0,
      loss: 3,
      causalLoss: 3,
      fusionLoss: 3,
      gradientNorm: 1,
      learningRate: 1e-3,
      alignedShare: 0.8,
      chosen: { orator: 3, novelist: 1 },
      without: {},
      tokensPerSecond: { orator: 2000, novelist: 1000 },
    });
  }
  file.append({ heldOut: { step: steps, bitsPerByte: { speeches: 2 } } });
  await file.close();
}

it('tells what a run came to', async () => {
  const config = await demo();
  const { output } = config.trainer;
  await train(output, 20);
  const domains = [{ name: 'speeches', before: 2.5, after: 2, teachers: { orator: 1.75 } }];
  await storeResult(config, { domains, tokens: 18_000, seconds: 30, model: join(output, 'model') });
  const report = await runReport(runFile, config, now);
  expect(report).toMatchObject({
    run: 'demo',
    finished: true,
    written: '2026-01-12T10:00:00.000Z',
    totals: { steps: 20, tokens: 18_000, seconds: 10 },
    teachers: ['orator', 'novelist', 'engineer'],
    chosen: { orator: 60, novelist: 20, engineer: 0 },
    domains,
  });
  const history = fromJson(GetHistoryResponseSchema, report.history);
  expect(history.step).toHaveLength(20);
  expect(history.heldOut).toHaveLength(1);
  const rows = report.settings.flatMap((group) => group.rows);
  expect(rows).toEqual(
    expect.arrayContaining([
      ['orator', 'zoo/orator'],
      ['speeches, held out', 'zoo/held-out/speeches.txt'],
      ['learningRate', '0.006'],
      ['lambda', '0.15'],
      ['align', 'boundary'],
      ['combine', 'evidence'],
      ['first step', '2026-01-12, 09:26 UTC'],
    ]),
  );
});

it('names no place of this machine', async () => {
  const config = await demo();
  await train(config.trainer.output, 2);
  const text = JSON.stringify(await runReport(runFile, config, now));
  expect(text).not.toContain(process.cwd());
  expect(text).not.toContain(config.trainer.output);
});

it('knows an unfinished run, and one whose trainer finished it alone', async () => {
  const config = await demo();
  await train(config.trainer.output, 3);
  expect(await runReport(runFile, config, now)).toMatchObject({ finished: false, domains: [] });
  await mkdir(join(config.trainer.output, 'model'));
  expect((await runReport(runFile, config, now)).finished).toBe(true);
});

it('tells what an on-policy run let its target write', async () => {
  const prompts = resolve('examples/zoo/held-out/fiction.txt');
  const config = await loadRunConfig(runFile, {
    overrides: [
      `trainer.output=${await temporaryDirectory()}`,
      'target.service.address=127.0.0.1:0',
      `onPolicy={ share: 0.5, prompts: [{ domain: fiction, path: ${prompts} }] }`,
    ],
    environment: {},
  });
  await train(config.trainer.output, 2);
  const group = (await runReport(runFile, config, now)).settings.find(({ title }) => title === 'On-policy');
  expect(group?.rows).toEqual(
    expect.arrayContaining([
      ['fiction, prompts', 'zoo/held-out/fiction.txt'],
      ['share', '0.5'],
      ['staleness', '1'],
    ]),
  );
});

it('refuses a run that has not done a step', async () => {
  const config = await demo();
  await expect(runReport(runFile, config, now)).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringMatching(/^The run demo has not done a step: .* fusemesh up examples\/demo\.yaml$/),
  });
});

it('refuses a run that was finished with other settings', async () => {
  const config = await demo();
  await train(config.trainer.output, 3);
  await storeResult(config, { domains: [], tokens: 1, seconds: 1, model: 'model' });
  const other = { ...config, trainer: { ...config.trainer, learningRate: 1 } };
  await expect(runReport(runFile, other, now)).rejects.toMatchObject({
    code: 'already_exists',
    message: expect.stringContaining('give the run file'),
  });
});
