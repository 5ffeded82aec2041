import type { AnswerRow, Entry } from './prompt-answer.ts';
import type { Protocol, Serving } from './protocol.ts';
import { emptyReply, jsonReply, type Reply } from './reply.ts';

/** As far as a completion is asked for here. */
interface CompletionRequest {
  readonly model?: string;
  readonly prompt?: string | readonly number[];
  readonly prompt_logprobs?: number;
  readonly logprobs?: number;
  readonly temperature?: number;
  readonly return_tokens_as_token_ids?: boolean;
  readonly return_token_ids?: boolean;
}
interface TokenizeRequest {
  readonly model?: string;
  readonly prompt?: string;
  readonly add_special_tokens?: boolean;
}

/** vLLM 0.32: its OpenAI server, written down from its source and from what a real one answered. */
export const vllmProtocol: Protocol = async ({ method, path, bearer, body }, serving) => {
  const { apiKey, name, contextLength } = serving;
  // Only below /v1: health, version and tokenize answer without the key.
  if (path.startsWith('/v1') && apiKey !== undefined && bearer !== apiKey) {
    return jsonReply(401, '{"error":"Unauthorized"}');
  }
  switch (`${method} ${path}`) {
    case 'GET /health':
      return emptyReply(200);
    case 'GET /version':
      return jsonReply(200, '{"version":"0.32.0"}');
    case 'GET /v1/models':
      return jsonReply(200, JSON.stringify({ object: 'list', data: [modelCard(name, contextLength)] }));
    case 'POST /tokenize':
      return tokenize(body as TokenizeRequest, serving);
    case 'POST /v1/completions':
      return complete(body as CompletionRequest, serving);
    default:
      return jsonReply(404, '{"detail":"Not Found"}');
  }
};

const modelCard = (id: string, contextLength: number) => ({
  id,
  object: 'model',
  created: 1_790_000_000,
  owned_by: 'vllm',
  root: `/models/${id}`,
  parent: null,
  max_model_len: contextLength,
  permission: [
    {
      id: 'modelperm-0',
      object: 'model_permission',
      created: 1_790_000_000,
      allow_create_engine: false,
      allow_sampling: true,
      allow_logprobs: true,
      allow_search_indices: false,
      allow_view: true,
      allow_fine_tuning: false,
      organization: '*',
      group: null,
      is_blocking: false,
    },
  ],
});

async function tokenize(
  request: TokenizeRequest,
  { name, contextLength, tokenizer }: Serving,
): Promise<Reply> {
  if (request.model !== undefined && request.model !== name) return unknownModel(request.model, name);
  const ids = await tokenizer.encode(request.prompt ?? '', {
    addSpecialTokens: request.add_special_tokens ?? true,
  });
  const answer = { count: ids.length, max_model_len: contextLength, tokens: ids, token_strs: null };
  return jsonReply(200, JSON.stringify(answer));
}

async function complete(request: CompletionRequest, serving: Serving): Promise<Reply> {
  const { name, tokenizer, contextLength, maxLogprobs, vocabularySize } = serving;
  const { model, prompt = [], prompt_logprobs: k, logprobs } = request;
  if (model !== undefined && model !== name) return unknownModel(model, name);
  const ids =
    typeof prompt === 'string' ? await tokenizer.encode(prompt, { addSpecialTokens: true }) : prompt;
  if (ids.length === 0) return badRequest('You must pass at least one prompt');
  if (ids.length > contextLength) {
    return badRequest(
      `This model's maximum context length is ${contextLength} tokens. However, your prompt contains at least ${contextLength + 1} input tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=${contextLength + 1})`,
      'input_tokens',
    );
  }
  // What is generated is cut to the room behind the prompt: none here, which has a message of its own.
  if (ids.length === contextLength) {
    return badRequest('max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)', 'max_tokens');
  }
  for (const [what, parameter, asked] of [
    ['sample', 'logprobs', logprobs],
    ['prompt', 'prompt_logprobs', k],
  ] as const) {
    if (asked !== undefined && asked > maxLogprobs) {
      return badRequest(
        `Requested ${what} logprobs of ${asked}, which is greater than max allowed: ${maxLogprobs} (parameter=${parameter}, value=${asked})`,
        parameter,
      );
    }
  }
  const outside = ids.find((id) => id >= vocabularySize);
  if (outside !== undefined) return badRequest(`Token id ${outside} is out of vocabulary`);

  const scored = await serving.score(ids, Math.max(k ?? 0, logprobs ?? 0, 1), request.temperature ?? 1);
  const tokenOf = (id: number) =>
    request.return_tokens_as_token_ids ? `token_id:${id}` : tokenizer.text(id);
  const { actual } = scored.generated;
  const members = [
    '"index":0',
    `"text":${JSON.stringify(tokenizer.text(actual.id))}`,
    `"logprobs":${logprobs === undefined ? 'null' : generatedLogprobs(scored.generated, tokenOf)}`,
    '"finish_reason":"length"',
    '"stop_reason":null',
    `"token_ids":${request.return_token_ids ? `[${actual.id}]` : 'null'}`,
    `"prompt_logprobs":${k === undefined ? 'null' : promptLogprobs(scored.prompt, (id) => tokenizer.text(id))}`,
    `"prompt_token_ids":${request.return_token_ids ? `[${scored.ids}]` : 'null'}`,
    '"routed_experts":null',
  ];
  const usage = {
    prompt_tokens: scored.ids.length,
    total_tokens: scored.ids.length + 1,
    completion_tokens: 1,
    prompt_tokens_details: null,
    completion_tokens_details: null,
  };
  return jsonReply(
    200,
    `{"id":"cmpl-0","object":"text_completion","created":1790000000,"model":${JSON.stringify(name)},"choices":[{${members.join()}}],"service_tier":null,"system_fingerprint":"vllm-0.32.0-5e52ed00","usage":${JSON.stringify(usage)},"kv_transfer_params":null,"ec_transfer_params":null,"metrics":null}`,
  );
}

/** Null for the first token, then an object a token: the actual one first, then the k, whose ranks go from 1 to k. */
function promptLogprobs(rows: readonly AnswerRow[], textOf: (id: number) => string): string {
  const objects = rows.map(({ actual, top }) => {
    const members = entriesOf(actual, top).map(
      ({ id, logProbability, rank }) =>
        `"${id}":{"logprob":${jsonNumber(logProbability)},"rank":${rank},"decoded_token":${JSON.stringify(textOf(id))}}`,
    );
    return `{${members.join()}}`;
  });
  return `[${['null', ...objects].join()}]`;
}

/** The form of OpenAI's completions: no ranks; the token that was drawn comes first. */
function generatedLogprobs({ actual, top }: AnswerRow, tokenOf: (id: number) => string): string {
  const token = JSON.stringify(tokenOf(actual.id));
  const members = entriesOf(actual, top).map(
    ({ id, logProbability }) => `${JSON.stringify(tokenOf(id))}:${jsonNumber(logProbability)}`,
  );
  return `{"text_offset":[0],"token_logprobs":[${jsonNumber(actual.logProbability)}],"tokens":[${token}],"top_logprobs":[{${members.join()}}]}`;
}

/** Python's dict keeps the place of a key's first appearance. Faults name tokens twice, which a dict cannot. */
function entriesOf(actual: Entry, top: readonly Entry[]): readonly Entry[] {
  if (!Number.isInteger(actual.id)) return top;
  return [actual, ...top.filter(({ id }) => id !== actual.id)];
}

/** As Python writes a float32, and NaN where it is let. */
const jsonNumber = (value: number): string =>
  value === Number.NEGATIVE_INFINITY ? '-9999.0' : Number.isInteger(value) ? value.toFixed(1) : String(value);

const badRequest = (message: string, param: string | null = null): Reply =>
  jsonReply(400, JSON.stringify({ error: { message, type: 'BadRequestError', param, code: 400 } }));

const unknownModel = (model: string, name: string): Reply =>
  jsonReply(
    404,
    JSON.stringify({
      error: {
        message: `The model \`${model}\` does not exist. Valid aliases: ${name}.`,
        type: 'NotFoundError',
        param: 'model',
        code: 404,
      },
    }),
  );
