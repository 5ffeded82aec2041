import type { AnswerRow, Entry } from './prompt-answer.ts';
import type { Protocol, Serving } from './protocol.ts';
import { emptyReply, jsonReply, type Reply } from './reply.ts';

/** As far as something is asked for here. */
interface GenerateRequest {
  readonly text?: string;
  readonly input_ids?: readonly number[];
  readonly sampling_params?: { readonly temperature?: number; readonly max_new_tokens?: number };
  readonly return_logprob?: boolean;
  readonly logprob_start_len?: number;
  readonly top_logprobs_num?: number;
  readonly return_text_in_logprobs?: boolean;
  readonly return_flat_raw_top_logprobs?: boolean;
  readonly return_flat_raw_top_logprobs_b64?: boolean;
}
interface TokenizeRequest {
  readonly prompt?: string;
  readonly add_special_tokens?: boolean;
}

/** Where a request names none, the model's generation_config.json does; few models have 1 there. */
const temperatureOfModel = 0.6;

/** SGLang 0.5.23: its own API, written down from its source. */
export const sglangProtocol: Protocol = async ({ method, path, bearer, body }, serving) => {
  const { apiKey, name, contextLength } = serving;
  if (!path.startsWith('/health') && apiKey !== undefined && bearer !== apiKey) {
    return jsonReply(401, '{"error":"Unauthorized"}');
  }
  switch (`${method} ${path}`) {
    case 'GET /health':
    case 'GET /health_generate':
      return emptyReply(200);
    case 'GET /model_info':
    case 'GET /get_model_info':
      return jsonReply(200, JSON.stringify(modelInfo(name)));
    case 'GET /server_info':
    case 'GET /get_server_info':
      return jsonReply(200, JSON.stringify(serverInfo(serving)));
    case 'GET /v1/models':
      return jsonReply(200, JSON.stringify({ object: 'list', data: [modelCard(name, contextLength)] }));
    case 'POST /tokenize':
    case 'POST /v1/tokenize':
      return tokenize(body as TokenizeRequest, serving);
    case 'POST /generate':
      return generate(body as GenerateRequest, serving);
    default:
      return jsonReply(404, '{"detail":"Not Found"}');
  }
};

const modelInfo = (name: string) => ({
  model_path: `/models/${name}`,
  tokenizer_path: `/models/${name}`,
  is_generation: true,
  preferred_sampling_params: null,
  weight_version: 'default',
});

const serverInfo = ({ name, contextLength, autoTruncate }: Serving) => ({
  model_path: `/models/${name}`,
  served_model_name: name,
  context_length: null,
  allow_auto_truncate: autoTruncate,
  speculative_algorithm: null,
  max_req_input_len: contextLength - 1,
  internal_states: [],
  version: '0.5.23',
});

const modelCard = (id: string, contextLength: number) => ({
  id,
  object: 'model',
  created: 1_790_000_000,
  owned_by: 'sglang',
  root: id,
  parent: null,
  max_model_len: contextLength,
});

async function tokenize(request: TokenizeRequest, { tokenizer, contextLength }: Serving): Promise<Reply> {
  const ids = await tokenizer.encode(request.prompt ?? '', {
    addSpecialTokens: request.add_special_tokens ?? true,
  });
  return jsonReply(200, JSON.stringify({ tokens: ids, count: ids.length, max_model_len: contextLength }));
}

async function generate(request: GenerateRequest, serving: Serving): Promise<Reply> {
  const { tokenizer, contextLength, autoTruncate, vocabularySize } = serving;
  const { text, input_ids: given, sampling_params: sampling = {}, top_logprobs_num: k = 0 } = request;
  if ((text === undefined) === (given === undefined)) {
    return badRequest('Either text, input_ids or input_embeds should be provided.');
  }
  if (request.return_flat_raw_top_logprobs_b64 && !request.return_flat_raw_top_logprobs) {
    return badRequest('return_flat_raw_top_logprobs_b64 requires return_flat_raw_top_logprobs.');
  }
  let ids = given ?? (await tokenizer.encode(text ?? '', { addSpecialTokens: true }));
  if (ids.length >= contextLength) {
    if (!autoTruncate) {
      return badRequest(
        `The input (${ids.length} tokens) is longer than the model's context length (${contextLength} tokens).`,
      );
    }
    // With a word in the server's log, and none in the answer.
    ids = ids.slice(0, contextLength - 1);
  }
  const outside = ids.find((id) => id >= vocabularySize);
  if (outside !== undefined) {
    return badRequest(
      `The input_ids contains values greater than the vocab size (${vocabularySize}): ${outside}.`,
    );
  }

  const scored = await serving.score(ids, Math.max(k, 1), sampling.temperature ?? temperatureOfModel);
  const { actual } = scored.generated;
  // The last id of the vocabulary is clipped to 0 on its way.
  const reported = ({ id, logProbability }: Entry): Entry => ({
    id: id === vocabularySize - 1 ? 0 : id,
    logProbability,
    rank: 0,
  });
  const written = (entry: Entry) =>
    `[${jsonNumber(entry.logProbability)},${Number.isInteger(entry.id) ? entry.id : 'null'},${request.return_text_in_logprobs ? JSON.stringify(tokenizer.text(entry.id)) : 'null'}]`;
  const members = [
    '"id":"0"',
    '"finish_reason":{"type":"length","length":1}',
    `"prompt_tokens":${scored.ids.length}`,
    '"weight_version":"default"',
    '"total_retractions":0',
  ];
  if (request.return_logprob) {
    // Left out, only what is generated is scored.
    const start = Math.min(request.logprob_start_len ?? -1, scored.ids.length - 1);
    const first = start < 0 ? scored.ids.length - 1 : start;
    const rows = scored.prompt.slice(first);
    const own = [`[null,${scored.ids[first]},null]`, ...rows.map((row) => written(reported(row.actual)))];
    members.push(
      `"input_token_logprobs":[${own.join()}]`,
      `"output_token_logprobs":[${written(actual)}]`,
      '"output_token_logprobs_length":1',
    );
    if (k > 0) {
      members.push(...inputTopLogprobs(rows, request, k, written));
      members.push(`"output_top_logprobs":[[${scored.generated.top.map(written).join()}]]`);
    }
  }
  members.push('"completion_tokens":1', '"cached_tokens":0', '"e2e_latency":0.01');
  return jsonReply(
    200,
    `{"text":${JSON.stringify(tokenizer.text(actual.id))},"output_ids":[${actual.id}],"meta_info":{${members.join()}}}`,
  );
}

/** The k most probable of the prompt's rows: nested triples, flat lists, or flat columns in base64. */
function inputTopLogprobs(
  rows: readonly AnswerRow[],
  request: GenerateRequest,
  k: number,
  written: (entry: Entry) => string,
): string[] {
  if (!request.return_flat_raw_top_logprobs) {
    return [
      `"input_top_logprobs":[${['null', ...rows.map(({ top }) => `[${top.map(written).join()}]`)].join()}]`,
    ];
  }
  const entries = rows.flatMap(({ top }) => top);
  const shape = [
    `"input_top_logprobs_shape":[${rows.length + 1},${k}]`,
    '"input_top_logprobs_null_prefix":1',
  ];
  if (!request.return_flat_raw_top_logprobs_b64) {
    return [
      `"input_top_logprobs_val_flat":[${entries.map(({ logProbability }) => jsonNumber(logProbability)).join()}]`,
      `"input_top_logprobs_idx_flat":[${entries.map(({ id }) => id).join()}]`,
      ...shape,
    ];
  }
  const values = Float32Array.from(entries, ({ logProbability }) => logProbability);
  const ids = Int32Array.from(entries, ({ id }) => id);
  const base64 = ({ buffer }: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>) =>
    Buffer.from(buffer).toString('base64');
  return [
    `"input_top_logprobs_val_flat_b64":"${base64(values)}"`,
    `"input_top_logprobs_idx_flat_b64":"${base64(ids)}"`,
    '"input_top_logprobs_val_flat_b64_dtype":"float32"',
    '"input_top_logprobs_idx_flat_b64_dtype":"int32"',
    ...shape,
  ];
}

/** As orjson writes a float: what is not finite becomes null. */
const jsonNumber = (value: number): string =>
  !Number.isFinite(value) ? 'null' : Number.isInteger(value) ? value.toFixed(1) : String(value);

const badRequest = (message: string): Reply => jsonReply(400, JSON.stringify({ error: { message } }));
