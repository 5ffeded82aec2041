import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { ScoredText } from '../../../model/scoring/scored-text.ts';
import { numbersOf } from '../../inference/infer-parameters.ts';
import type { InferenceModel } from '../../inference/inference-service.ts';
import type { OutputTensor } from '../../inference/output-tensors.ts';
import { readTextTensor, type TextTensor } from '../../inference/text-tensor.ts';
import { isRefused, type TeacherModel } from '../teacher-model.ts';
import { callsLane, type TeacherCalls } from './teacher-calls.ts';

const input = 'text_input';
const textOutput = 'text_output';
const texts = { datatype: 'BYTES', shape: [-1n] } as const;
/** What an answer that is written can be told. */
const settings = ['max_tokens', 'temperature', 'top_p', 'seed'] as const;
const defaultTokens = 16;

/**
 * A teacher in the Open Inference Protocol: it says how probable each text is, in nats, and goes on with it where
 * text_output is asked for by name.
 */
export function teacherInference(name: string, model: TeacherModel, calls: TeacherCalls): InferenceModel {
  const writing = model.generate ? [{ name: textOutput, ...texts }] : [];
  return {
    name,
    inputs: [{ name: input, ...texts }],
    outputs: [
      { name: 'cross_entropy', datatype: 'FP32', shape: [-1n] },
      { name: 'predicted_tokens', datatype: 'INT64', shape: [-1n] },
      { name: 'token_log_probabilities', datatype: 'FP32', shape: [-1n, -1n] },
      ...writing,
    ],
    // A teacher's weights stay as they are.
    version: () => '1',
    async infer(request, wanted, signal) {
      const asked = readTextTensor(request, input);
      const {
        max_tokens = defaultTokens,
        temperature = 0,
        top_p = 1,
        seed = 0,
      } = numbersOf(request.parameters, wanted.has(textOutput) ? settings : []);
      const scores = [...wanted].some((one) => one !== textOutput) || wanted.size === 0;
      const outputs: OutputTensor[] = scores
        ? scoreTensors(await scored(asked.texts, model, calls, signal), asked)
        : [];
      if (wanted.has(textOutput)) {
        const sampling = { maxTokens: max_tokens, temperature, topP: top_p, seed, stop: [] };
        const leave = calls.generations.take();
        try {
          const values: string[] = [];
          for (const prompt of asked.texts) {
            let text = '';
            for await (const piece of model.generate!({ prompt, ...sampling }, signal)) text += piece.text;
            values.push(text);
          }
          outputs.push({ name: textOutput, datatype: 'BYTES', shape: asked.shape, values });
        } finally {
          leave();
        }
      }
      return { outputs, version: '1' };
    },
  };
}

async function scored(
  texts: readonly string[],
  model: TeacherModel,
  { scores }: TeacherCalls,
  signal: AbortSignal,
): Promise<ScoredText[]> {
  const leave = scores.take(texts.length);
  try {
    const outcomes = await model.score(texts, 1, { lane: callsLane, signal });
    return outcomes.map((outcome, i) => {
      if (isRefused(outcome))
        throw new FuseMeshError('invalid_argument', `${input}[${i}]: ${outcome.refusal}`);
      return outcome;
    });
  } finally {
    leave();
  }
}

/** The rows of token_log_probabilities end in NaN where a text has fewer tokens than the longest. */
function scoreTensors(texts: readonly ScoredText[], { shape }: TextTensor): OutputTensor[] {
  const longest = Math.max(...texts.map(({ tokenIds }) => tokenIds.length));
  const rows = new Float32Array(texts.length * longest).fill(Number.NaN);
  for (const [i, { tokenLogProbabilities }] of texts.entries()) rows.set(tokenLogProbabilities, i * longest);
  return [
    {
      name: 'cross_entropy',
      datatype: 'FP32',
      shape,
      values: Float32Array.from(texts, ({ crossEntropy }) => crossEntropy),
    },
    {
      name: 'predicted_tokens',
      datatype: 'INT64',
      shape,
      values: BigInt64Array.from(texts, ({ predictedTokens }) => BigInt(predictedTokens)),
    },
    {
      name: 'token_log_probabilities',
      datatype: 'FP32',
      shape: [BigInt(texts.length), BigInt(longest)],
      values: rows,
    },
  ];
}
