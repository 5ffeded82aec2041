import { setTimeout as sleep } from 'node:timers/promises';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runResultSchema } from '../../cli/stored/run-result.ts';
import { readHistory } from '../../trainer/report/history/history-file.ts';
import {
  GetHistoryResponseSchema,
  GetStatusResponseSchema,
  TrainerService,
  TrainerState,
} from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { type Client, createClient } from '../../wire/grpc/client.ts';
import { freePort } from '../support/free-port.ts';
import { startCommand } from './command.ts';
import { makeSmallCorpus, type SmallCorpus, writeRunFile } from './small-run.ts';

let corpus: SmallCorpus;
beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 6000 });
});
afterAll(() => corpus.remove());

test('gRPC, page, /metrics, the curves on disk and the final table tell the same', {
  timeout: 180_000,
}, async () => {
  const { path, output } = await writeRunFile(corpus, { run: `figures-${process.pid}` });
  const [grpcPort, httpPort] = [await freePort(), await freePort()];
  const up = startCommand([
    ...['up', path, '--json'],
    ...['--set', `trainer.address=127.0.0.1:${grpcPort}`],
    ...['--set', `trainer.metricsPort=${httpPort}`],
  ]);
  const client = createClient(TrainerService, `127.0.0.1:${grpcPort}`);
  const get = (place: string) => fetch(`http://127.0.0.1:${httpPort}${place}`);
  const json = async (place: string) => (await (await get(place)).json()) as JsonValue;
  try {
    const status = await pausedBetweenEvaluations(client);
    const step = status.lastStep!;
    const metric = metricsOf(await (await get('/metrics')).text());

    expect(metric('state', 'state="paused"')).toBe(1);
    expect(metric('step')).toBe(Number(step.step));
    expect(metric('planned_steps')).toBe(Number(status.stepsTotal));
    expect(metric('tokens_total')).toBe(Number(step.tokens));
    expect(metric('documents_total')).toBe(Number(step.documents));
    expect(metric('loss', 'kind="total"')).toBe(step.loss);
    expect(metric('loss', 'kind="causal"')).toBe(step.causalLoss);
    expect(metric('loss', 'kind="fusion"')).toBe(step.fusionLoss);
    expect(metric('gradient_norm')).toBe(step.gradientNorm);
    expect(metric('learning_rate')).toBe(step.learningRate);
    expect(metric('aligned_ratio')).toBe(step.alignedShare);
    expect(metric('phase_seconds_total', 'phase="compute"')).toBe(status.time!.compute);
    expect(metric('phase_seconds_total', 'phase="wait"')).toBe(status.time!.wait);
    for (const { teacher, documentsChosen } of status.sources) {
      expect(metric('source_chosen_total', `teacher="${teacher}"`) ?? 0).toBe(Number(documentsChosen));
    }
    expect(Object.keys(status.heldOut!.bitsPerByte)).toHaveLength(3);
    for (const [domain, bits] of Object.entries(status.heldOut!.bitsPerByte)) {
      expect(metric('held_out_bits_per_byte', `domain="${domain}"`)).toBe(bits);
    }

    const history = await client.getHistory({});
    expect(history.step.map(Number)).toEqual(Array.from(history.step, (_, i) => i + 1));
    expect(history.step.at(-1)).toBe(step.step);
    expect(history.loss.at(-1)).toBe(step.loss);
    expect(history.heldOut.at(-1)).toEqual(status.heldOut);

    const onPage = fromJson(GetStatusResponseSchema, await json('/api/status'));
    expect(onPage.lastStep).toEqual(step);
    expect(onPage.heldOut).toEqual(status.heldOut);
    expect(onPage.time).toEqual(status.time);
    expect(onPage.secondsLeft).toBe(status.secondsLeft);
    const curves = fromJson(GetHistoryResponseSchema, await json('/api/history'));
    expect(curves).toEqual(history);

    const alignment = await client.getAlignment({});
    expect(alignment.step).toBe(step.step);
    await client.resume({});
  } finally {
    client.close();
  }

  const { code, stdout } = await up.finished;
  expect(code).toBe(0);
  const result = runResultSchema.parse(JSON.parse(stdout));
  const { points, heldOut } = await readHistory(output);
  expect(points.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(result.tokens);
  // The table is made by another program than the training, with sums in another order.
  for (const { name, after } of result.domains) {
    expect(heldOut.at(-1)!.bitsPerByte[name]).toBeCloseTo(after!, 4);
  }
});

/** Holds the training some steps after an evaluation, and gives its status then. */
async function pausedBetweenEvaluations(client: Client<typeof TrainerService>) {
  const ask = () => client.getStatus({}).catch(() => undefined);
  for (let status = await ask(); ; status = await ask()) {
    if (Number(status?.lastStep?.step ?? 0) >= 5) break;
    await sleep(20);
  }
  await client.pause({});
  for (let last = 0n; ; ) {
    await sleep(500);
    const status = await client.getStatus({});
    expect(status.state).toBe(TrainerState.PAUSED);
    if (status.lastStep!.step === last) return status;
    last = status.lastStep!.step;
  }
}

/** Looks up a trainer's metric in Prometheus' text. */
const metricsOf = (text: string) => (name: string, label?: string) => {
  const line = text
    .split('\n')
    .find((each) => /^\w+/.exec(each)?.[0] === `fusemesh_trainer_${name}` && each.includes(label ?? ''));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
};
