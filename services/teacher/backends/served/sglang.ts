import { z } from 'zod';
import {
  type AnswerColumns,
  type ScoreQuestion,
  type ServedProtocol,
  undistortedSampling,
} from './protocol.ts';
import { wrongAnswer } from './wrong-answer.ts';

/**
 * SGLang's own interface (POST /generate). The rows of the prompt come as columns in base64, row i being the
 * distribution that predicted token i; servers that do not know that form send lists. The row after the last token
 * is that of a generated one.
 */
export const sglang: ServedProtocol = {
  server: 'SGLang',
  scorePath: '/generate',
  scoreBody: ({ ids, topK }) =>
    JSON.stringify({
      input_ids: Array.from(ids),
      return_logprob: true,
      logprob_start_len: 0,
      top_logprobs_num: topK,
      return_text_in_logprobs: false,
      return_flat_raw_top_logprobs: true,
      return_flat_raw_top_logprobs_b64: true,
      // The generated row is divided by the temperature.
      sampling_params: { max_new_tokens: 1, ...undistortedSampling },
    }),
  readScore,

  idsOfScoredText: {
    body: (text) =>
      JSON.stringify({
        text,
        return_logprob: true,
        logprob_start_len: 0,
        return_text_in_logprobs: false,
        sampling_params: { max_new_tokens: 1, temperature: 1 },
      }),
    read: (body) => parse(body, idsSchema).input_token_logprobs.map(([, id]) => id),
  },
  versionPath: '/get_server_info',
  contextFlag: '--context-length',
  refusesTopK: (message) => /top_logprobs_num/i.test(message),
  topKAdvice: () => 'lower topK',
  passes: (message) => /\bnan\b|out of range float/i.test(message),
  suspects: 'speculative decoding (--speculative-algorithm), LoRA, or a custom logit processor',
};

const entry = z.tuple([z.number().nullable(), z.number().int()]).rest(z.unknown());
const row = z.array(entry).nullable();
const answerSchema = z.object({
  meta_info: z.object({
    input_token_logprobs: z.array(entry),
    output_top_logprobs: z.array(row).min(1),
    input_top_logprobs: z.array(row).optional(),
    input_top_logprobs_shape: z.tuple([z.number().int(), z.number().int()]).optional(),
    input_top_logprobs_null_prefix: z.number().int().optional(),
    input_top_logprobs_val_flat_b64: z.string().optional(),
    input_top_logprobs_idx_flat_b64: z.string().optional(),
    input_top_logprobs_val_flat_b64_dtype: z.literal('float32').optional(),
    input_top_logprobs_idx_flat_b64_dtype: z.literal('int32').optional(),
  }),
});
const idsSchema = z.object({ meta_info: z.object({ input_token_logprobs: z.array(entry) }) });
type Answer = z.infer<typeof answerSchema>['meta_info'];
type Row = z.infer<typeof row>;

function readScore(body: Buffer, { ids, topK }: ScoreQuestion): AnswerColumns {
  const answer = parse(body, answerSchema);
  const n = ids.length;
  const tokens = answer.input_token_logprobs;
  if (tokens.length !== n) throw wrongAnswer(`it has ${tokens.length} rows for ${n} tokens`);
  const tokenLogProbabilities = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const [logProbability, id] = tokens[i];
    // The last token of the vocabulary is told as 0 where the server clips ids.
    if (id !== ids[i] && id !== 0) throw wrongAnswer(`token ${i} is ${id} there and ${ids[i]} here`);
    if (i > 0) tokenLogProbabilities[i] = logProbability ?? Number.NaN;
  }
  const candidateIds = new Int32Array(n * topK).fill(-1);
  const logProbabilities = new Float32Array(n * topK).fill(Number.NaN);
  const columns = { candidateIds, logProbabilities, tokenLogProbabilities };
  if (answer.input_top_logprobs_val_flat_b64 === undefined) readNested(answer, n, topK, columns);
  else readFlat(answer, n, topK, columns);
  setRow(columns, n - 1, topK, answer.output_top_logprobs[0]);
  return columns;
}

function parse<T>(body: Buffer, schema: z.ZodType<{ meta_info: T }>): T {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw wrongAnswer(`it is no JSON (${(cause as Error).message})`, cause);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data.meta_info;
  const [issue] = parsed.error.issues;
  throw wrongAnswer(`${issue.path.join('.')}: ${issue.message}`, parsed.error);
}

/** Rows 1 … n − 1, which predicted those tokens, behind a prefix without any. */
function readFlat(answer: Answer, n: number, topK: number, columns: AnswerColumns): void {
  const { input_top_logprobs_shape: shape, input_top_logprobs_null_prefix: prefix } = answer;
  if (shape?.[0] !== n || (n > 1 && shape[1] !== topK) || prefix !== 1) {
    throw wrongAnswer(`its rows are [${shape}], ${prefix} of them empty, instead of [${n},${topK}] and 1`);
  }
  const size = (n - 1) * topK;
  const values = fourByteColumn(answer.input_top_logprobs_val_flat_b64, size, 'val');
  const ids = fourByteColumn(answer.input_top_logprobs_idx_flat_b64, size, 'idx');
  columns.logProbabilities.set(new Float32Array(values));
  columns.candidateIds.set(new Int32Array(ids));
}

/** Little-endian, as this machine is (ONNX Runtime knows no other). */
function fourByteColumn(base64: string | undefined, length: number, name: string): ArrayBuffer {
  const bytes = Buffer.from(base64 ?? '', 'base64');
  if (bytes.length !== 4 * length) {
    throw wrongAnswer(
      `input_top_logprobs_${name}_flat_b64 has ${bytes.length} bytes instead of ${4 * length}`,
    );
  }
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}

function readNested(answer: Answer, n: number, topK: number, columns: AnswerColumns): void {
  const rows = answer.input_top_logprobs;
  if (rows?.length !== n)
    throw wrongAnswer(`it has ${rows?.length ?? 'no'} rows of candidates for ${n} tokens`);
  for (let i = 1; i < n; i++) setRow(columns, i - 1, topK, rows[i]);
}

function setRow(
  { candidateIds, logProbabilities }: AnswerColumns,
  i: number,
  topK: number,
  entries: Row,
): void {
  if (entries?.length !== topK) {
    throw wrongAnswer(`row ${i} has ${entries?.length ?? 'no'} candidates instead of ${topK}`);
  }
  for (const [j, [value, id]] of entries.entries()) {
    candidateIds[i * topK + j] = id;
    logProbabilities[i * topK + j] = value ?? Number.NaN;
  }
}
