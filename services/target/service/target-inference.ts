import { numbersOf } from '../../inference/infer-parameters.ts';
import type { InferenceModel } from '../../inference/inference-service.ts';
import { readTextTensor } from '../../inference/text-tensor.ts';
import type { Answers } from '../answers/answers.ts';
import { writeChoices } from '../answers/write-choices.ts';

const input = 'text_input';
const output = 'text_output';
/** Of each text: new weights may come between two that did not begin at once. As a parameter, the oldest. */
const stepOutput = 'weights_step';
const texts = { datatype: 'BYTES', shape: [-1n] } as const;
/** What writes an answer can be told. */
const settings = ['max_tokens', 'temperature', 'top_p', 'seed'] as const;

/** Where a request does not say how many tokens, as at the OpenAI-compatible front. */
const defaultTokens = 16;

/**
 * The target in the Open Inference Protocol: it goes on with each text. Tensors are named as those of Triton's backends for
 * vLLM and TensorRT-LLM; the version of the model is the step of its weights.
 *
 * @param name of the run
 */
export const targetInference = (name: string, answers: Answers): InferenceModel => ({
  name,
  inputs: [{ name: input, ...texts }],
  outputs: [
    { name: output, ...texts },
    { name: stepOutput, datatype: 'INT64', shape: [-1n] },
  ],
  version: () => String(answers.step),
  async infer(request, _, signal) {
    const { texts, shape } = readTextTensor(request, input);
    const {
      max_tokens: maxTokens = defaultTokens,
      temperature = 0,
      top_p: topP = 1,
      seed = 0,
    } = numbersOf(request.parameters, settings);
    const abort = new AbortController();
    const leave = () => abort.abort();
    signal.addEventListener('abort', leave);
    const call = answers.call(texts.length);
    try {
      const values = texts.map(() => '');
      const steps = new BigInt64Array(texts.length);
      const requests = texts.map((prompt, i) => ({
        prompt,
        maxTokens,
        temperature,
        topP,
        seed: seed + i,
        stop: [],
      }));
      for await (const { index, piece } of writeChoices(call, requests, abort)) {
        values[index] += piece.text;
        steps[index] = BigInt(piece.version);
      }
      const oldest = steps.reduce((least, step) => (step < least ? step : least));
      return {
        outputs: [
          { name: output, datatype: 'BYTES', shape, values },
          { name: stepOutput, datatype: 'INT64', shape, values: steps },
        ],
        version: String(oldest),
        parameters: { [stepOutput]: oldest },
      };
    } finally {
      signal.removeEventListener('abort', leave);
      call.end();
    }
  },
});
