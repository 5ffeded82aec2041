import type { PromptRows } from '../served-model.ts';
import type { Fault } from './fault.ts';

/** The server computes something else than it should, and every answer is well-formed. */
export const faultsOfTheModel = {
  /** Row i is of the token after i − 1; llama-cpp-python's echo does so (#1983). */
  offByOne: {
    rows: (rows) => {
      const { order, logProbabilities, vocabularySize: V } = rows;
      const late = order.slice();
      const lateValues = logProbabilities.slice();
      // What is generated is right.
      const prompt = order.length - V;
      late.copyWithin(V, 0, Math.max(0, prompt - V));
      lateValues.copyWithin(V, 0, Math.max(0, prompt - V));
      return { ...rows, order: late, logProbabilities: lateValues };
    },
  },
  /** The prompt's rows are disturbed, what is generated is right; speculative decoding does so in vLLM (#53488). */
  disturbedPrompt: { rows: (rows) => flattened(rows, 0.6, { generatedToo: false }) },
  /** Another model, in itself without fault: the same network with a flatter distribution. */
  otherModel: { everywhere: true, rows: (rows) => flattened(rows, 0.8, { generatedToo: true }) },
  /** Another prompt's rows; prefix caching gave those in vLLM (#42019). */
  otherPrompt: { prompt: (ids) => ids.slice().reverse() },
  /** The prompt is cut to half, without a word; SGLang's --allow-auto-truncate does so. */
  cutOff: { prompt: (ids) => ids.slice(0, Math.ceil(ids.length / 2)) },
  /** Text is cut into other tokens. */
  otherTokenizer: {
    everywhere: true,
    tokenizer: (tokenizer) => ({
      encode: async (text, options) => (await tokenizer.encode(text, options)).map((id) => (id + 1) % 2500),
      text: (id) => tokenizer.text(id),
    }),
  },
} as const satisfies Readonly<Record<string, Fault>>;

/** The distributions to the power, normalised again. */
function flattened(
  rows: PromptRows,
  power: number,
  { generatedToo }: { readonly generatedToo: boolean },
): PromptRows {
  const { vocabularySize: V, logProbabilities } = rows;
  const end = logProbabilities.length - (generatedToo ? 0 : V);
  const flat = logProbabilities.slice();
  for (let first = 0; first < end; first += V) {
    const row = flat.subarray(first, first + V);
    let sum = 0;
    for (let j = 0; j < V; j++) sum += Math.exp(row[j] * power);
    for (let j = 0; j < V; j++) row[j] = row[j] * power - Math.log(sum);
  }
  return { ...rows, logProbabilities: flat };
}
