import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Readiness } from '../../../process/lifecycle/readiness.ts';
import { createLog } from '../../../process/log/log.ts';
import { GRPCInferenceService } from '../../../wire/generated/inference/grpc_predict_v2_pb.ts';
import { type Client, createClient } from '../../../wire/grpc/client.ts';
import { implement } from '../../../wire/grpc/implementation.ts';
import { type GrpcServer, serve } from '../../../wire/grpc/serve.ts';
import { inferenceService } from '../../inference/inference-service.ts';
import { OnnxModel } from '../backends/onnx-model.ts';
import { teacherCalls } from './teacher-calls.ts';
import { teacherInference } from './teacher-inference.ts';

type Asked = Parameters<Client<typeof GRPCInferenceService>['modelInfer']>[0];

const texts = ['Fellow citizens of the Senate', 'We are'];
const inputs = [
  {
    name: 'text_input',
    datatype: 'BYTES',
    shape: [2n],
    contents: { bytesContents: texts.map((text) => Buffer.from(text)) },
  },
];

let model: OnnxModel;
let server: GrpcServer;
let client: Client<typeof GRPCInferenceService>;
beforeAll(async () => {
  const directory = fileURLToPath(new URL('../../../examples/zoo/orator', import.meta.url));
  model = await OnnxModel.load(directory, { topK: 1, threads: 1 });
  const service = inferenceService(teacherInference('orator', model, teacherCalls()), new Readiness());
  const log = createLog('test', { level: 'silent' });
  const services = [implement(GRPCInferenceService, service)];
  server = await serve({ address: '127.0.0.1:0', services, log });
  client = createClient(GRPCInferenceService, server.address);
});
afterAll(async () => {
  client.close();
  await server.stop();
  await model.close();
});

it('says how probable texts are, rows padded with NaN', async () => {
  const outcomes = await model.score(texts, 1, {});
  const { outputs } = await client.modelInfer({ modelName: 'orator', inputs });
  expect(outputs.map(({ name, shape }) => [name, shape])).toEqual([
    ['cross_entropy', [2n]],
    ['predicted_tokens', [2n]],
    ['token_log_probabilities', [2n, expect.any(BigInt)]],
  ]);
  const [crossEntropies, predicted, rows] = outputs.map(({ contents }) => contents!);
  const longest = Number(outputs[2].shape[1]);
  for (const [i, outcome] of outcomes.entries()) {
    if ('refusal' in outcome) throw new Error(outcome.refusal);
    expect(crossEntropies.fp32Contents[i]).toBeCloseTo(outcome.crossEntropy, 4);
    expect(predicted.int64Contents[i]).toBe(BigInt(outcome.predictedTokens));
    const own = rows.fp32Contents.slice(i * longest, (i + 1) * longest);
    expect(own.slice(0, outcome.tokenIds.length)).toEqual([...outcome.tokenLogProbabilities]);
    expect(own.slice(outcome.tokenIds.length).every(Number.isNaN)).toBe(true);
  }
});

it('goes on with texts where that is asked for, and scores nothing then', async () => {
  const { outputs } = await client.modelInfer({
    modelName: 'orator',
    inputs,
    outputs: [{ name: 'text_output' }],
    parameters: { max_tokens: { parameterChoice: { case: 'int64Param', value: 5n } } },
  });
  expect(outputs).toMatchObject([{ name: 'text_output', datatype: 'BYTES', shape: [2n] }]);
  const [{ contents }] = outputs;
  const sampling = { maxTokens: 5, temperature: 0, topP: 1, seed: 0, stop: [] };
  for (const [i, prompt] of texts.entries()) {
    let text = '';
    const pieces = model.generate({ prompt, ...sampling }, new AbortController().signal);
    for await (const piece of pieces) text += piece.text;
    expect(Buffer.from(contents!.bytesContents[i]).toString()).toBe(text);
  }
});

it('refuses what it cannot score, and settings of an answer that nobody asks for', async () => {
  const long = Buffer.from('Hello. '.repeat(2000));
  const [input] = inputs;
  const temperature = { parameterChoice: { case: 'doubleParam' as const, value: 1 } };
  const refused: [Pick<Asked, 'inputs' | 'parameters'>, string][] = [
    [{ inputs: [{ ...input, shape: [1n], contents: { bytesContents: [long] } }] }, 'text_input[0]'],
    [{ inputs, parameters: { temperature } }, 'no parameter'],
  ];
  for (const [asked, problem] of refused) {
    const answer = client.modelInfer({ modelName: 'orator', ...asked });
    await expect(answer).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(problem),
    });
  }
});
