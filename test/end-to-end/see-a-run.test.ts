import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findPrograms } from '../../cli/observe/find-program.ts';
import { processesFile, type RunningProcess, readProcesses } from '../../cli/reach/processes-file.ts';
import { runResultSchema } from '../../cli/stored/run-result.ts';
import { TrainerService } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import { freePort } from '../support/free-port.ts';
import { type RunningCommand, runCommand, startCommand } from './command.ts';
import { expectOneLine } from './expect-one-line.ts';
import { killTrainer, makeSmallCorpus, type SmallCorpus, writeRunFile } from './small-run.ts';

// One run, seen from its beginning to its end: each test goes on where the one before has left it.
const run = `end-to-end-seen-${process.pid}`;
const hasPrometheus = findPrograms(['prometheus']).length > 0;
let corpus: SmallCorpus;
let path: string;
let output: string;
let up: RunningCommand;
let watch: RunningCommand;
let observe: RunningCommand | undefined;
let prometheus: string;
let trainer: RunningProcess;
let pausedStep: number;

beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 4000 });
  ({ path, output } = await writeRunFile(corpus, { run }));
});
afterAll(async () => {
  const commands = [watch, observe, up];
  for (const command of commands) command?.process.kill('SIGTERM');
  await Promise.all(commands.map((command) => command?.finished));
  await corpus.remove();
});

const statusInJson = async (runFile: string) => {
  const { code, stdout, stderr } = await runCommand(['status', runFile, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.trimEnd()).not.toContain('\n');
  return JSON.parse(stdout);
};

test('nobody knows where a run is that has not begun', async () => {
  const line =
    /: run \S+: the trainer's port is 0 and .*processes\.json is not there: is `fusemesh up` running\?/;
  expectOneLine(await runCommand(['status', path]), { code: 1, line });
  expectOneLine(await runCommand(['watch', path]), { code: 1, line });
  const nowhere = ['--set', 'trainer.address=127.0.0.1:9'];
  expectOneLine(await runCommand(['status', path, ...nowhere]), {
    code: 1,
    line: /No answer from 127\.0\.0\.1:9/,
  });
});

test('a run of processes on free ports is found and seen', async () => {
  if (hasPrometheus) {
    // Before the run: it finds the processes when they are there.
    const port = await freePort();
    prometheus = `http://127.0.0.1:${port}`;
    observe = startCommand(['observe', path, `--prometheus-port=${port}`, '--grafana-port=0']);
  }
  up = startCommand(['up', path]);
  while (!existsSync(processesFile(output))) await sleep(20);
  watch = startCommand(['watch', path]);
  trainer = await runningTrainer();

  const client = createClient(TrainerService, trainer.grpc);
  while (((await client.getStatus({})).lastStep?.step ?? 0n) < 2n) await sleep(10);
  await client.pause({});
  // Answers when the step in hand is done.
  pausedStep = Number((await client.checkpoint({})).step);
  client.close();

  const { code, stdout } = await runCommand(['status', path]);
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^run ${run}  paused`));
  expect(stdout).toContain(`step ${pausedStep} of`);
  for (const name of ['orator', 'novelist', 'engineer', 'target']) {
    expect(stdout).toMatch(new RegExp(`^  ${name} .* scored, \\d+ queued`, 'm'));
  }
});

async function runningTrainer(): Promise<RunningProcess> {
  for (;;) {
    const running = await readProcesses(output);
    const found = running.state === 'running' && running.processes.find(({ kind }) => kind === 'trainer');
    if (found) return found;
    await sleep(20);
  }
}

test('status in JSON tells what /metrics tells', async () => {
  const status = await statusInJson(path);
  const text = await (await fetch(`http://127.0.0.1:${trainer.metricsPort}/metrics`)).text();
  const metric = (name: string, labels = '') => {
    const line = text
      .split('\n')
      .find((each) => each.startsWith(`fusemesh_trainer_${name}{`) && each.includes(labels));
    return Number(line?.split(' ').at(-1));
  };
  expect(status).toMatchObject({ run, state: 'TRAINER_STATE_PAUSED', checkpointStep: `${pausedStep}` });
  expect(Number(status.lastStep.step)).toBe(metric('step'));
  expect(Number(status.stepsTotal)).toBe(metric('planned_steps'));
  expect(status.lastStep.loss).toBe(metric('loss', 'kind="total"'));
  expect(Number(status.lastStep.tokens)).toBe(metric('tokens_total'));
  for (const { teacher, documentsChosen } of status.sources) {
    expect(Number(documentsChosen), teacher).toBe(metric('source_chosen_total', `teacher="${teacher}"`) || 0);
  }
});

test('an address at which another run is trained is no answer', async () => {
  const { path: other } = await writeRunFile(corpus, { run: `${run}-other` });
  const there = ['--set', `trainer.address=${trainer.grpc}`];
  const line = new RegExp(`run ${run}-other has its trainer trains run ${run}:`);
  expectOneLine(await runCommand(['status', other, ...there]), { code: 1, line });
});

test.skipIf(!hasPrometheus)(
  'observe has a Prometheus ask every process, and leaves none behind',
  { timeout: 90_000 },
  async () => {
    const ask = async <Data>(what: string): Promise<Data | undefined> => {
      const answer = await fetch(`${prometheus}/api/v1/${what}`).catch(() => undefined);
      return answer?.ok ? ((await answer.json()) as { data: Data }).data : undefined;
    };
    const targets = async () => {
      type Targets = { activeTargets: { labels: Record<string, string>; health: string }[] };
      const found = await ask<Targets>('targets');
      return (found?.activeTargets ?? []).map(({ labels, health }) => ({ ...labels, health }));
    };
    const expected = [
      ...['orator', 'novelist', 'engineer', 'target'].map((instance) => ({
        instance,
        job: 'teacher',
        health: 'up',
      })),
      { instance: 'trainer', job: 'trainer', health: 'up' },
    ];
    await expect.poll(targets, { timeout: 60_000, interval: 200 }).toEqual(expect.arrayContaining(expected));
    expect(await targets()).toHaveLength(expected.length);
    const query = encodeURIComponent('fusemesh_trainer_step{job="trainer",instance="trainer"}');
    // The first look at the trainer may have been before its first step.
    await expect
      .poll(() => ask(`query?query=${query}`), { timeout: 30_000, interval: 200 })
      .toMatchObject({ result: [{ metric: { run }, value: [expect.any(Number), `${pausedStep}`] }] });

    observe!.process.kill('SIGINT');
    const { code, stdout, stderr } = await observe!.finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Prometheus ${prometheus}`);
    expect(stdout).toContain(`the trainer's page: http://127.0.0.1:${trainer.metricsPort}/`);
    await expect(fetch(prometheus)).rejects.toThrow();
  },
);

test('watch goes on over a killed trainer, and ends with the run', { timeout: 180_000 }, async () => {
  await killTrainer(output);
  expect((await up.finished).code).toBe(1);
  expect(existsSync(processesFile(output))).toBe(false);

  up = startCommand(['up', path, '--json']);
  const [{ stdout: watched, code, stderr }, { stdout: result }] = await Promise.all([
    watch.finished,
    up.finished,
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const states = ['starting', 'paused', 'the trainer does not answer', 'finished'];
  const places = states.map((state) => watched.indexOf(state, watched.indexOf('starting')));
  expect([...places].sort((a, b) => a - b)).toEqual(places);
  expect(places).not.toContain(-1);

  // What is stored is asked for when the trainer is gone.
  const { domains, tokens } = runResultSchema.parse(JSON.parse(result));
  const stored = await statusInJson(path);
  expect(stored).toMatchObject({ run, state: 'TRAINER_STATE_FINISHED' });
  expect(stored.lastStep.step).toBe(stored.stepsTotal);
  expect(Number(stored.lastStep.tokens)).toBe(tokens);
  for (const { name, after } of domains) expect(stored.heldOut.bitsPerByte[name]).toBeCloseTo(after!, 4);

  const text = (await runCommand(['status', path])).stdout;
  expect(text).toMatch(new RegExp(`^run ${run}  finished\n  trained   ${stored.stepsTotal} steps`));
  expect((await runCommand(['watch', path])).stdout).toBe(text);
});

test('watch fails with a run that fails', { timeout: 120_000 }, async () => {
  const failing = await writeRunFile(corpus, { run: `${run}-failing` });
  const noNumbers = ['--set', 'trainer.learningRate=1e30', '--set', 'trainer.warmupSteps=0'];
  const failed = startCommand(['up', failing.path, ...noNumbers]);
  while (!existsSync(processesFile(failing.output))) await sleep(20);
  const { code, stderr } = await runCommand(['watch', failing.path]);
  expect(stderr).toMatch(/^fusemesh: Run \S+ has failed: the trainer's log says why\.\n$/);
  expect(code).toBe(1);
  expect((await failed.finished).code).toBe(1);
});
