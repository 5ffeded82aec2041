import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Generator } from '../../../model/generation/generator.ts';
import { Scorer } from '../../../model/scoring/scorer.ts';
import { askHealth } from '../../../test/support/ask-health.ts';
import { type RunningTarget, startTarget, zooModel } from '../../../test/support/running-target.ts';
import { TargetService } from '../../../wire/generated/fusemesh/v1/target_pb.ts';
import { FinishReason } from '../../../wire/generated/fusemesh/v1/teacher_pb.ts';
import { GRPCInferenceService } from '../../../wire/generated/inference/grpc_predict_v2_pb.ts';
import { type Client, createClient } from '../../../wire/grpc/client.ts';

const prompt = 'Fellow citizens of the Senate';
let target: RunningTarget;
let client: Client<typeof TargetService>;
beforeAll(async () => {
  target = await startTarget(zooModel('target'), { slots: 2 });
  client = createClient(TargetService, target.grpc);
});
afterAll(async () => {
  client.close();
  await target.stop();
});

type Request = Parameters<typeof client.generate>[0];
type Options = Parameters<typeof client.generate>[1];

async function generated(request: Request, options?: Options) {
  let text = '';
  for await (const response of client.generate(request, options)) {
    text += response.text;
    if (response.finishReason !== FinishReason.UNSPECIFIED) return { ...response, text };
  }
  throw new Error('the stream ended without a reason');
}

it('says what it serves', async () => {
  expect(await client.getServedModel({})).toMatchObject({
    name: 'demo',
    weightsStep: 0n,
    family: 'llama',
    vocabularySize: 3000,
    contextLength: 256,
  });
  expect(await askHealth(target.grpc, TargetService.typeName)).toBe('SERVING');
});

describe('Generate', () => {
  it('goes on with a text as the generator does, and adds up its log-probabilities', async () => {
    const generator = await Generator.load(zooModel('target'), { threads: 1 });
    let text = '';
    let logProbability = 0;
    const request = {
      prompt,
      maxTokens: 12,
      temperature: 1,
      topP: 0.9,
      seed: 5,
      stop: [],
      logProbabilities: 0,
    };
    for await (const piece of generator.generate(request)) {
      text += piece.text;
      logProbability += piece.token.logProbability!;
    }
    await generator.close();
    const answer = await generated({ prompt, maxTokens: 12, temperature: 1, topP: 0.9, seed: 5 });
    expect(answer).toMatchObject({ text, tokens: 12, weightsStep: 0n, finishReason: FinishReason.LENGTH });
    expect(answer.logProbability).toBeCloseTo(logProbability, 4);
    expect(answer.logProbability).toBeLessThan(0);
  });

  it('answers a conversation by the template, and joins turns that nobody speaks', async () => {
    const turns = [{ role: 'user', content: 'How is the Union?' }];
    // The plain form of a model without a template.
    const rendered = await generated({ prompt: 'User: How is the Union?\n\nAssistant:', maxTokens: 8 });
    expect(await generated({ turns, maxTokens: 8 })).toEqual(rendered);
    const joined = [{ content: 'Fellow citizens' }, { content: ' of the Senate' }];
    expect(await generated({ turns: joined, maxTokens: 8 })).toEqual(
      await generated({ prompt, maxTokens: 8 }),
    );
    const mixed = [...turns, { role: '', content: 'Nobody.' }];
    await expect(generated({ turns: mixed })).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('refuses what it cannot take, and says why', async () => {
    const requests = [
      {},
      { prompt, turns: [{ content: 'Both.' }] },
      { prompt, temperature: -1 },
      { prompt: 'We are. '.repeat(400) },
      { prompt, stop: [''] },
    ];
    for (const request of requests) {
      await expect(generated(request)).rejects.toMatchObject({ code: 'invalid_argument' });
    }
  });

  it('waits for weights as new as it asks for, and holds no slot meanwhile', async () => {
    const waiting = [1, 2, 3].map(() => generated({ prompt, maxTokens: 4, minStep: 1n }));
    const leaving = new AbortController();
    const left = generated({ prompt, minStep: 1n }, { signal: leaving.signal });
    expect(await generated({ prompt, maxTokens: 4 })).toMatchObject({ weightsStep: 0n });
    leaving.abort();
    await expect(left).rejects.toMatchObject({ code: 'cancelled' });
    await target.onWeights(zooModel('target'), 1);
    for (const answer of await Promise.all(waiting)) expect(answer.weightsStep).toBe(1n);
    expect(await client.getServedModel({})).toMatchObject({ weightsStep: 1n });
    await target.onWeights(zooModel('target'), 0);
  });

  it('frees the slot of who leaves', async () => {
    for (let i = 0; i < 6; i++) {
      for await (const { tokens } of client.generate({ prompt, maxTokens: 200 })) if (tokens === 2) break;
    }
    expect(await generated({ prompt, maxTokens: 4 })).toMatchObject({ tokens: 4 });
  });
});

it('scores as a scorer does, with the weights that are served', async () => {
  const scorer = await Scorer.load(zooModel('target'), { topK: 3, threads: 1 });
  const [own] = await scorer.score([prompt]);
  await scorer.close();
  const { distribution, weightsStep } = await client.score({ text: prompt, topK: 3 });
  expect(weightsStep).toBe(0n);
  expect(distribution!.crossEntropy).toBeCloseTo(own.crossEntropy, 3);
  const { distribution: most } = await client.score({ text: prompt, topK: 3, topP: 0.5 });
  expect(most).toMatchObject({ schemaVersion: 3, crossEntropy: distribution!.crossEntropy });
  expect(most!.candidates.length).toBeGreaterThan(0);
  await target.onWeights(zooModel('target'), 3);
  expect(await client.score({ text: prompt, topK: 3 })).toMatchObject({ weightsStep: 3n });
  await expect(client.score({ text: '', topK: 3 })).rejects.toMatchObject({ code: 'invalid_argument' });
  await target.onWeights(zooModel('target'), 0);
});

describe('the Open Inference Protocol', () => {
  const ask = async <T>(call: (client: Client<typeof GRPCInferenceService>) => Promise<T>): Promise<T> => {
    const inference = createClient(GRPCInferenceService, target.grpc);
    try {
      return await call(inference);
    } finally {
      inference.close();
    }
  };
  const bytesContents = [prompt, 'We are'].map((text) => Buffer.from(text));
  const input = { name: 'text_input', datatype: 'BYTES', shape: [2n] };
  const parameters = { max_tokens: { parameterChoice: { case: 'int64Param' as const, value: 6n } } };

  it('tells what is served', async () => {
    await ask(async (inference) => {
      expect(await inference.serverLive({})).toMatchObject({ live: true });
      expect(await inference.serverReady({})).toMatchObject({ ready: true });
      expect(await inference.modelReady({ name: 'demo' })).toMatchObject({ ready: true });
      expect(await inference.modelReady({ name: 'demo', version: '7' })).toMatchObject({ ready: false });
      expect(await inference.serverMetadata({})).toMatchObject({ name: 'fusemesh' });
      expect(await inference.modelMetadata({ name: 'demo' })).toMatchObject({
        versions: ['0'],
        inputs: [{ name: 'text_input', datatype: 'BYTES', shape: [-1n] }],
        outputs: [{ name: 'text_output' }, { name: 'weights_step', datatype: 'INT64' }],
      });
      await expect(inference.modelMetadata({ name: 'other' })).rejects.toMatchObject({ code: 'not_found' });
    });
  });

  it('goes on with texts, in contents and raw', async () => {
    const [first, second] = await Promise.all(
      [prompt, 'We are'].map(async (text) => (await generated({ prompt: text, maxTokens: 6 })).text),
    );
    await ask(async (inference) => {
      const inContents = await inference.modelInfer({
        modelName: 'demo',
        id: 'one',
        inputs: [{ ...input, contents: { bytesContents } }],
        parameters,
      });
      expect(inContents).toMatchObject({ id: 'one', modelVersion: '0' });
      expect(inContents.parameters['weights_step'].parameterChoice).toEqual({
        case: 'int64Param',
        value: 0n,
      });
      const [text] = inContents.outputs;
      expect(text.contents!.bytesContents.map(decoded)).toEqual([first, second]);

      const raw = Buffer.concat(bytesContents.flatMap((bytes) => [lengthOf(bytes), bytes]));
      const inRaw = await inference.modelInfer({
        modelName: 'demo',
        inputs: [{ ...input, shape: [2n, 1n] }],
        outputs: [{ name: 'text_output' }],
        parameters,
        rawInputContents: [raw],
      });
      expect(inRaw.outputs).toMatchObject([{ name: 'text_output', shape: [2n, 1n] }]);
      const expected = [first, second].map((one) => Buffer.from(one));
      expect(Buffer.from(inRaw.rawOutputContents[0])).toEqual(
        Buffer.concat(expected.flatMap((bytes) => [lengthOf(bytes), bytes])),
      );
    });
  });

  it('refuses by name what it does not take', async () => {
    const right = { modelName: 'demo', inputs: [{ ...input, contents: { bytesContents } }] };
    const wrong: [Parameters<Client<typeof GRPCInferenceService>['modelInfer']>[0], string][] = [
      [{ ...right, inputs: [{ ...right.inputs[0], name: 'text' }] }, 'give text_input alone'],
      [{ ...right, inputs: [{ ...right.inputs[0], datatype: 'FP32' }] }, 'give BYTES'],
      [{ ...right, inputs: [{ ...right.inputs[0], shape: [3n] }] }, 'its shape is of 3'],
      [{ ...right, parameters: { top_k: parameters.max_tokens } }, 'no parameter top_k'],
      [{ ...right, outputs: [{ name: 'logits' }] }, 'no output logits'],
      [{ ...right, rawInputContents: [new Uint8Array([9, 0, 0, 0, 1])] }, 'ends within an item'],
    ];
    await ask(async (inference) => {
      for (const [request, problem] of wrong) {
        await expect(inference.modelInfer(request)).rejects.toMatchObject({
          code: 'invalid_argument',
          message: expect.stringContaining(problem),
        });
      }
      await expect(inference.modelInfer({ ...right, modelVersion: '9' })).rejects.toMatchObject({
        code: 'not_found',
      });
    });
  });
});

const decoded = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

function lengthOf(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return length;
}
