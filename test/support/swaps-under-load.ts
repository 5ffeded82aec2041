import OpenAI from 'openai';
import { TargetService } from '../../wire/generated/fusemesh/v1/target_pb.ts';
import { createClient } from '../../wire/grpc/client.ts';
import type { RunningTarget } from './running-target.ts';

const prompts = ['Fellow citizens of the Senate', 'We are', 'The state of the Union is', 'In the year'];
const maxTokens = 24;

/** What a target service answered while its weights were exchanged. */
export interface SwapsUnderLoad {
  readonly answers: number;
  /** How many began on each of the two models. */
  readonly byModel: readonly [even: number, odd: number];
  /** What failed, or was not what the model of its step says. */
  readonly wrong: readonly string[];
  /** Resident memory of this process after each swap, in bytes. */
  readonly residentBytes: readonly number[];
}

/**
 * Exchanges the weights of a target service between two models, while clients of both protocols ask it without a pause.
 * Even steps are of the first model, odd ones of the second; every answer must be what the model of its step says.
 *
 * @param clients of each of three kinds: gRPC, HTTP whole, HTTP streamed
 */
export async function swapUnderLoad(
  target: RunningTarget,
  models: readonly [even: string, odd: string],
  { swaps, clients }: { readonly swaps: number; readonly clients: number },
): Promise<SwapsUnderLoad> {
  const openai = new OpenAI({ baseURL: target.baseUrl, apiKey: 'none', maxRetries: 0 });
  const grpc = createClient(TargetService, target.grpc);
  const asked = (prompt: string) => ({ model: 'demo', prompt, max_tokens: maxTokens, temperature: 0 });

  const byGrpc = async (prompt: string): Promise<Answer> => {
    let text = '';
    const steps = new Set<number>();
    for await (const piece of grpc.generate({ prompt, maxTokens })) {
      text += piece.text;
      steps.add(Number(piece.weightsStep));
    }
    return { text, steps: [...steps] };
  };
  const whole = async (prompt: string): Promise<Answer> => {
    const { choices, system_fingerprint } = await openai.completions.create(asked(prompt));
    return { text: choices[0].text, steps: [stepOf(system_fingerprint)] };
  };
  const streamed = async (prompt: string): Promise<Answer> => {
    let text = '';
    const steps = new Set<number>();
    for await (const chunk of await openai.completions.create({ ...asked(prompt), stream: true })) {
      text += chunk.choices[0]?.text ?? '';
      steps.add(stepOf(chunk.system_fingerprint));
    }
    return { text, steps: [...steps] };
  };

  const expected: string[][] = [];
  for (const [step, model] of models.entries()) {
    await target.onWeights(model, step);
    expected.push(await Promise.all(prompts.map(async (prompt) => (await byGrpc(prompt)).text)));
  }
  const wrong: string[] = [];
  const byModel: [number, number] = [0, 0];
  let done = false;
  const ask = async (kind: (prompt: string) => Promise<Answer>, first: number) => {
    for (let i = first; !done; i++) {
      const prompt = i % prompts.length;
      try {
        const { text, steps } = await kind(prompts[prompt]);
        const model = steps[0] % 2;
        byModel[model]++;
        if (steps.length !== 1) wrong.push(`one answer of steps ${steps.join(', ')}`);
        else if (text !== expected[model][prompt]) wrong.push(`step ${steps[0]}: ${JSON.stringify(text)}`);
      } catch (error) {
        wrong.push(String(error));
      }
    }
  };
  const asking = [byGrpc, whole, streamed].flatMap((kind) =>
    Array.from({ length: clients }, (_, client) => ask(kind, client)),
  );
  const residentBytes: number[] = [];
  for (let step = 2; step < 2 + swaps; step++) {
    await target.onWeights(models[step % 2], step);
    residentBytes.push(process.memoryUsage().rss);
  }
  done = true;
  await Promise.all(asking);
  grpc.close();
  return { answers: byModel[0] + byModel[1], byModel, wrong, residentBytes };
}

interface Answer {
  readonly text: string;
  readonly steps: readonly number[];
}

const stepOf = (fingerprint: string | null | undefined): number => Number(fingerprint?.replace('step-', ''));
