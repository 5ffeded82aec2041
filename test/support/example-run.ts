import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import {
  type GetAlignmentResponse,
  GetAlignmentResponseSchema,
  type GetHistoryResponse,
  GetHistoryResponseSchema,
  type GetStatusResponse,
  GetStatusResponseSchema,
  TrainerState,
} from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { createRandom } from './random.ts';

/** A run of 600 steps, of which so many are done; its curves look like those of the demonstration. */
export interface ExampleRun {
  readonly status: GetStatusResponse;
  readonly history: GetHistoryResponse;
  readonly alignment: GetAlignmentResponse;
}

const teachers = [
  { name: 'orator', tokensPerSecond: 1850, chosen: 0.34 },
  { name: 'novelist', tokensPerSecond: 2140, chosen: 0.31 },
  { name: 'engineer', tokensPerSecond: 1630, chosen: 0.27 },
  { name: 'target', tokensPerSecond: 2410, chosen: 0.08 },
];
const stepsTotal = 600;
const began = Date.UTC(2026, 0, 12, 9, 30) / 1000;
const secondsAStep = 0.78;
const tokensAStep = 942;

export async function exampleRun(stepsDone: number): Promise<ExampleRun> {
  return {
    status: exampleStatus(stepsDone),
    history: exampleHistory(stepsDone),
    alignment: await exampleAlignment(),
  };
}

export function exampleHistory(stepsDone: number): GetHistoryResponse {
  const random = createRandom(7);
  const noise = (size: number) => size * (random() + random() + random() - 1.5);
  const steps = Array.from({ length: stepsDone }, (_, i) => i + 1);
  const falling = steps.map((step) => 2.31 + 1.9 * Math.exp(-step / 90) + noise(0.12));
  const fusion = steps.map((step) => 1.72 + 1.2 * Math.exp(-step / 70) + noise(0.07));
  const warmUp = 30;
  return create(GetHistoryResponseSchema, {
    step: steps.map(BigInt),
    time: steps.map((step) => began + step * secondsAStep),
    steps: steps.map(() => 1),
    loss: steps.map((_, i) => 0.9 * falling[i] + 0.1 * fusion[i]),
    causalLoss: falling,
    fusionLoss: fusion,
    gradientNorm: steps.map((step) => Math.max(0.2, 0.62 + 1.6 * Math.exp(-step / 40) + noise(0.15))),
    learningRate: steps.map((step) =>
      step < warmUp
        ? (3e-3 * step) / warmUp
        : 1.5e-3 * (1 + Math.cos((Math.PI * (step - warmUp)) / (stepsTotal - warmUp))),
    ),
    alignedShare: steps.map(() => 0.836 + noise(0.02)),
    tokensPerSecond: steps.map((step) => (step % 50 === 0 ? 1015 : 1208) + noise(60)),
    waitShare: steps.map(() => Math.max(0, 0.04 + noise(0.04))),
    sources: teachers.map(({ name, tokensPerSecond, chosen }) => ({
      teacher: name,
      tokensPerSecond: steps.map((step) => tokensPerSecond * (1 + 0.06 * Math.sin(step / 31)) + noise(70)),
      chosenShare: steps.map(() => Math.min(1, Math.max(0, chosen + noise(0.12)))),
    })),
    heldOut: steps
      .filter((step) => step % 50 === 0)
      .map((step) => ({
        step: BigInt(step),
        bitsPerByte: {
          speeches: 1.71 + 0.61 * Math.exp(-step / 120),
          fiction: 1.88 + 0.52 * Math.exp(-step / 130),
          manuals: 1.63 + 0.93 * Math.exp(-step / 95),
        },
      })),
  });
}

export function exampleStatus(stepsDone: number): GetStatusResponse {
  const history = exampleHistory(stepsDone);
  const documents = stepsDone * 4;
  const last = stepsDone - 1;
  const now = Date.now();
  const time = {
    wait: 0.031,
    align: 0.012,
    compute: 0.612,
    optimizer: 0.058,
    checkpoint: 0.006,
    evaluate: 0.061,
  };
  return create(GetStatusResponseSchema, {
    run: 'demo',
    state: TrainerState.TRAINING,
    stepsTotal: BigInt(stepsTotal),
    lastStep: {
      step: BigInt(stepsDone),
      documents: BigInt(documents),
      tokens: BigInt(stepsDone * tokensAStep),
      loss: history.loss[last],
      causalLoss: history.causalLoss[last],
      fusionLoss: history.fusionLoss[last],
      tokensPerSecond: 1208,
      seconds: secondsAStep,
      time,
    },
    sources: teachers.map(({ name, tokensPerSecond, chosen }, i) => ({
      teacher: name,
      attached: true,
      queueDepth: [38, 41, 12, 64][i],
      documentsChosen: BigInt(Math.round(documents * chosen)),
      tokensPerSecond,
      documentsScored: BigInt(documents + [38, 41, 12, 64][i]),
      waitingForRoom: i === 3,
      documentsMissing: 0,
      lagDocuments: BigInt([26, 23, 52, 0][i]),
      bytesReceived: BigInt(documents * 11_340),
      deadLetters: 0n,
    })),
    documentsWaiting: 3,
    checkpointDirectory: 'checkpoints',
    checkpointStep: BigInt(stepsDone - (stepsDone % 50)),
    checkpointTime: timestampFromDate(new Date(now - (stepsDone % 50) * secondsAStep * 1000)),
    started: timestampFromDate(new Date(now - stepsDone * secondsAStep * 1000)),
    documentsTotal: 2400n,
    tokensPerSecond: 1208,
    secondsLeft: (stepsTotal - stepsDone) * secondsAStep,
    time: Object.fromEntries(Object.entries(time).map(([phase, seconds]) => [phase, seconds * stepsDone])),
    ...(history.heldOut.length > 0 && { heldOut: history.heldOut[history.heldOut.length - 1] }),
    streams: [
      { name: 'documents', messages: 256n, bytes: 214_000n, mostMessages: 1024n },
      { name: 'distributions', messages: 803n, bytes: 9_140_000n, mostMessages: 1024n },
      { name: 'dead-letters', messages: 0n, bytes: 0n, mostMessages: 0n },
    ],
  });
}

const passage =
  'Fellow citizens, I am again called upon by the voice of my country to execute the functions of its Chief ' +
  'Magistrate. When the occasion proper for it shall arrive, I shall endeavor to express the high sense I entertain ' +
  'of this distinguished honor, and of the confidence which has been reposed in me by the people of united America.\n' +
  'Previous to the execution of any official act of the President in 1793, the Constitution requires an oath of office.';

const zoo = (model: string): Promise<Tokenizer> =>
  Tokenizer.fromFile(join(import.meta.dirname, '../../examples/zoo', model, 'tokenizer.json'));

/** Other words that a teacher might predict. */
const others = [' the', ' of', ',', ' and', ' to', ' a', ' in', ' our', '.', ' great'];

async function exampleAlignment(): Promise<GetAlignmentResponse> {
  const random = createRandom(3);
  const [target, source] = await Promise.all(
    ['target', 'orator'].map(async (model) => (await zoo(model)).encode(passage)),
  );
  const sourceEnds = new Map(Array.from(source.ends, (end, i) => [end, i]));
  const textOf = (i: number) => passage.slice(target.starts[i], target.ends[i]);
  return create(GetAlignmentResponseSchema, {
    document: 1247n,
    step: 312n,
    text: passage,
    teacher: 'orator',
    source: Array.from(source.ends, (end, i) => ({ begin: source.starts[i], end })),
    target: Array.from(target.ends, (end, i) => {
      const token = sourceEnds.get(end);
      const top = 0.2 + 0.7 * random();
      const candidates = [i + 1 < target.ids.length ? textOf(i + 1) : '.', ...others].map((text, j) => ({
        text,
        probability: j === 0 ? top : (1 - top) * 0.5 ** j,
      }));
      return {
        span: { begin: target.starts[i], end },
        ...(token !== undefined && { sourceToken: token, candidates }),
      };
    }),
  });
}
