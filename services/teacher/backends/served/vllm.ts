import { JsonScanner } from './json-scanner.ts';
import {
  type AnswerColumns,
  type ScoreQuestion,
  type ServedProtocol,
  undistortedSampling,
} from './protocol.ts';
import { wrongAnswer } from './wrong-answer.ts';

/**
 * vLLM's OpenAI-compatible server (POST /v1/completions with prompt_logprobs). Entry i of `prompt_logprobs` is the
 * distribution that predicted token i, null for the first; that of the token after the last is asked for by generating
 * one. The actual token comes beside the k of a row, and tells its rank as they do.
 */
export const vllm: ServedProtocol = {
  server: 'vLLM',
  scorePath: '/v1/completions',
  scoreBody: ({ ids, topK }, model) =>
    JSON.stringify({
      model,
      prompt: Array.from(ids),
      max_tokens: 1,
      prompt_logprobs: topK,
      logprobs: topK,
      return_tokens_as_token_ids: true,
      add_special_tokens: false,
      // Where the model's generation_config.json says otherwise, the server would follow that.
      ...undistortedSampling,
    }),
  readScore,

  versionPath: '/version',
  contextFlag: '--max-model-len',
  refusesTopK: (message) => /max[_ -]?logprobs|logprobs.*max(imum)? allowed/i.test(message),
  topKAdvice: (topK) => `start it with --max-logprobs ${topK}, or lower topK`,
  // https://github.com/vllm-project/vllm/issues/53488: JSON that cannot hold what a broken row has.
  passes: (message) => /\bnan\b|out of range float/i.test(message),
  suspects:
    'speculative decoding (--speculative-config), LoRA on the head, or a --logprobs-mode other than raw_logprobs',
};

function readScore(body: Buffer, question: ScoreQuestion): AnswerColumns {
  const { ids, topK } = question;
  const n = ids.length;
  const columns = {
    candidateIds: new Int32Array(n * topK).fill(-1),
    logProbabilities: new Float32Array(n * topK).fill(Number.NaN),
    tokenLogProbabilities: new Float32Array(n).fill(Number.NaN),
  };
  columns.tokenLogProbabilities[0] = 0;
  let rows = 0;
  let generated: Buffer | undefined;
  const json = new JsonScanner(body);
  json.object(() => {
    if (!json.isKey('choices')) {
      json.skip();
      return;
    }
    json.array((choice) => {
      if (choice > 0) {
        json.skip();
        return;
      }
      json.object(() => {
        if (json.isKey('logprobs')) generated = json.raw();
        else if (json.isKey('prompt_logprobs') && !json.skipNull()) rows = readRows(json, question, columns);
        else if (!json.isKey('prompt_logprobs')) json.skip();
      });
    });
  });
  json.end();
  if (rows !== n) throw wrongAnswer(`it has ${rows} rows for ${n} tokens`);
  if (generated === undefined) throw wrongAnswer('it has no logprobs of a generated token');
  readGeneratedRow(generated, question, columns);
  return columns;
}

/** Reads `prompt_logprobs` into the columns, without an object a token. */
function readRows(json: JsonScanner, { ids, topK }: ScoreQuestion, columns: AnswerColumns): number {
  const { candidateIds, logProbabilities, tokenLogProbabilities } = columns;
  const n = ids.length;
  let rows = 0;
  let logProbability = 0;
  let rank = 0;
  let id = 0;
  let own = 0;
  let begin = 0;
  const readMember = () => {
    if (json.isKey('logprob')) logProbability = json.number();
    else if (json.isKey('rank')) rank = json.skipNull() ? -1 : json.number();
    else json.skip();
  };
  const readEntry = () => {
    id = json.integerKey();
    logProbability = Number.NaN;
    rank = -1;
    json.object(readMember);
    if (id === own) tokenLogProbabilities[rows] = logProbability;
    if (rank > topK) return;
    if (!(rank >= 1)) throw wrongAnswer(`token ${rows} has a candidate without a rank`);
    candidateIds[begin + rank - 1] = id;
    logProbabilities[begin + rank - 1] = logProbability;
  };
  json.array((i) => {
    if (i >= n) throw wrongAnswer(`it has more rows than the ${n} tokens`);
    if (i === 0) {
      if (!json.skipNull()) throw wrongAnswer('it predicts the first token, which nothing predicts');
    } else {
      own = ids[i];
      begin = (i - 1) * topK;
      json.object(readEntry);
    }
    rows++;
  });
  return rows;
}

/** The row after the last token: `top_logprobs[0]`, with the generated token beside the k where it is none of them. */
function readGeneratedRow(json: Buffer, { ids, topK }: ScoreQuestion, columns: AnswerColumns): void {
  let row: unknown;
  try {
    row = (JSON.parse(json.toString('utf8')) as { top_logprobs?: unknown[] } | null)?.top_logprobs?.[0];
  } catch (cause) {
    throw wrongAnswer('the logprobs of the generated token are no JSON', cause);
  }
  if (typeof row !== 'object' || row === null) {
    throw wrongAnswer('it has no top_logprobs of a generated token');
  }
  const entries = Object.entries(row)
    .map(([name, value]) => ({ id: Number(/^token_id:(\d+)$/.exec(name)?.[1] ?? -1), value: Number(value) }))
    .sort((a, b) => b.value - a.value);
  if (entries.length < topK) {
    throw wrongAnswer(`the generated token has ${entries.length} candidates instead of ${topK}`);
  }
  const begin = (ids.length - 1) * topK;
  for (let j = 0; j < topK; j++) {
    columns.candidateIds[begin + j] = entries[j].id;
    columns.logProbabilities[begin + j] = entries[j].value;
  }
}
