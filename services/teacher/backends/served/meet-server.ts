import { z } from 'zod';
import { FuseMeshError } from '../../../../errors/fusemesh-error.ts';
import type { Tokenizer } from '../../../../model/tokenizer/tokenizer.ts';
import { unusableServers } from '../../../../process/config/unusable-servers.ts';
import { meanDifference, mostDifference } from '../../../../wire/codec/probe-difference.ts';
import { hardTexts, probeTexts } from './hard-texts.ts';
import { prefixLengths, rowDifference } from './probe.ts';
import type { AnswerColumns, ScoreQuestion } from './protocol.ts';
import { answerOf, type Scored, type ServedServer } from './served-server.ts';

/** What a run wants of a served model. */
export interface Expectations {
  /** Its id at the server. */
  readonly model: string;
  readonly tokenizer: Tokenizer;
  readonly topK: number;
  /** Tokens of the longest document. */
  readonly contextLength: number;
}

/** What a server told of its model when it was met. */
export interface Acquaintance {
  readonly version: string;
  /** Tokens of the longest text with the one that is generated. */
  readonly modelLength: number;
  /** Mean difference between prompt rows and generated rows, in nats. */
  readonly difference: number;
  /** Log-probabilities of the tokens of the probe's texts: they tell one model from another. */
  readonly values: Float32Array;
}

/** An answer may be cut off once; not always. */
const triesOfWrongAnswer = 3;

const modelsSchema = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      max_model_len: z.number().int().positive().nullish(),
      owned_by: z.string().nullish(),
    }),
  ),
});
const tokensSchema = z.object({ tokens: z.array(z.number().int()) });

/**
 * Makes sure that a server is up, has the model with this tokenizer and enough context, gives k candidates, and says
 * the same of a prefix as of the whole text.
 *
 * @throws FuseMeshError unavailable or resource_exhausted while it does not answer; any other for what does not pass by itself
 */
export async function meetServer(
  server: ServedServer,
  expected: Expectations,
  signal: AbortSignal,
): Promise<Acquaintance> {
  answerOf(await server.json('/health', undefined, signal), server.url);
  const modelLength = await lengthOfModel(server, expected, signal);
  await compareTokens(server, expected.tokenizer, signal);
  const probed = await probe(server, expected, signal);
  return { version: await versionOf(server, signal), modelLength, ...probed };
}

async function lengthOfModel(
  server: ServedServer,
  { model, contextLength }: Expectations,
  signal: AbortSignal,
): Promise<number> {
  const { url, protocol } = server;
  const { data } = read(modelsSchema, answerOf(await server.json('/v1/models', undefined, signal), url), url);
  const found = data.find(({ id }) => id === model);
  if (!found) {
    const ids = data.map(({ id }) => id).join(', ');
    throw new FuseMeshError(
      'not_found',
      `The server at ${url} serves ${ids || 'no model'}, not ${model}: correct served.model.`,
    );
  }
  const length = found.max_model_len;
  if (!length) {
    throw new FuseMeshError(
      'failed_precondition',
      `The server at ${url} is no ${protocol.server}: ` +
        (unusableServers[found.owned_by ?? ''] ?? 'it does not say how long a text may be'),
    );
  }
  if (length <= contextLength) {
    throw new FuseMeshError(
      'failed_precondition',
      `The server at ${url} takes ${length} tokens with the one that it generates, and the run's contextLength is ` +
        `${contextLength}: start it with ${protocol.contextFlag} ${contextLength + 1} or more, or lower contextLength.`,
    );
  }
  return length;
}

async function versionOf(server: ServedServer, signal: AbortSignal): Promise<string> {
  const exchange = await server.json(server.protocol.versionPath, undefined, signal);
  if (exchange.kind !== 'answer') return 'unknown';
  return read(z.object({ version: z.string().default('unknown') }), exchange.body, server.url).version;
}

/** Ids are sent, so another tokenizer there would not be noticed otherwise, and the texts be others. */
async function compareTokens(server: ServedServer, tokenizer: Tokenizer, signal: AbortSignal): Promise<void> {
  const { length: prefix } = (await tokenizer.encode('')).ids;
  const own = await tokenizer.encodeBatch(hardTexts);
  for (const [i, text] of hardTexts.entries()) {
    const { tokens, withPrefix } = await tokensThere(server, text, signal);
    const ids = withPrefix ? own[i].ids : own[i].ids.subarray(prefix);
    const at = ids.findIndex((id, j) => tokens[j] !== id);
    if (at === -1 && tokens.length === ids.length) continue;
    const where = at === -1 ? ids.length : at;
    const name = (id: number | undefined) =>
      id === undefined ? 'nothing' : `${id} (${JSON.stringify(tokenizer.tokenText(id))})`;
    throw new FuseMeshError(
      'failed_precondition',
      `The server at ${server.url} has another tokenizer: of ${JSON.stringify(text)} it makes token ${where} ` +
        `${name(tokens[where])}, this tokenizer ${name(ids[where])}: name the tokenizer of the model that is served.`,
    );
  }
}

async function tokensThere(server: ServedServer, text: string, signal: AbortSignal) {
  const { url, protocol } = server;
  const exchange = await server.tokenize(text, signal);
  const { idsOfScoredText: other } = protocol;
  if (other && exchange.kind === 'fatal' && exchange.failure.code === 'not_found') {
    const answer = answerOf(await server.scoreText(other.body(text), signal), url);
    return { tokens: other.read(answer), withPrefix: true };
  }
  return { ...read(tokensSchema, answerOf(exchange, url), url), withPrefix: false };
}

/**
 * Has texts scored, and prefixes of them: the row that predicts a token must be the same, whether the token is there
 * or to be generated. A row too early or too late, or from another distribution, is seen.
 */
async function probe(
  server: ServedServer,
  { tokenizer, topK }: Expectations,
  signal: AbortSignal,
): Promise<Pick<Acquaintance, 'difference' | 'values'>> {
  const values: number[] = [];
  let rows = 0;
  let sum = 0;
  for (const { ids } of await tokenizer.encodeBatch(probeTexts)) {
    const whole = await ask(server, { ids, topK }, signal);
    values.push(...whole.tokenLogProbabilities.subarray(1));
    for (const m of prefixLengths(ids.length)) {
      const prefix = await ask(server, { ids: ids.subarray(0, m), topK }, signal);
      sum += rowDifference(prefix, m - 1, whole, m - 1, topK);
      rows++;
    }
  }
  const difference = sum / rows;
  if (difference > mostDifference) {
    throw new FuseMeshError(
      'failed_precondition',
      `The server at ${server.url} does not say the same of a text as of its beginning: ${difference.toFixed(3)} nats ` +
        `apart in the mean, ${mostDifference} are allowed. Likely ${server.protocol.suspects}: start it without.`,
    );
  }
  return { difference, values: Float32Array.from(values) };
}

async function ask(
  server: ServedServer,
  question: ScoreQuestion,
  signal: AbortSignal,
): Promise<AnswerColumns> {
  const { url, protocol } = server;
  let scored = await server.score(question, signal);
  for (let again = 1; isWrong(scored) && again < triesOfWrongAnswer; again++) {
    scored = await server.score(question, signal);
  }
  if (scored.kind === 'scored') return scored.columns;
  if (scored.kind === 'refused' && protocol.refusesTopK(scored.message)) {
    throw new FuseMeshError(
      'failed_precondition',
      `The server at ${url} does not give ${question.topK} candidates (${scored.message}): ${protocol.topKAdvice(question.topK)}.`,
    );
  }
  if (isWrong(scored)) {
    throw new FuseMeshError(
      'failed_precondition',
      `The server at ${url} does not score as ${protocol.server} does. ${scored.message}. Likely ${protocol.suspects}.`,
    );
  }
  answerOf(scored, url);
  throw new Error('not reached');
}

const isWrong = (scored: Scored): scored is Extract<Scored, { kind: 'passing' }> =>
  scored.kind === 'passing' && scored.reason === 'wrong_answer';

/**
 * Looks whether a server still has the model that it had, by a request or two.
 *
 * @throws FuseMeshError unavailable or resource_exhausted where it does not answer; any other where it is not as it was
 */
export async function meetAgain(
  server: ServedServer,
  expected: Expectations,
  before: Acquaintance,
  signal: AbortSignal,
): Promise<void> {
  await lengthOfModel(server, expected, signal);
  const { ids } = await expected.tokenizer.encode(probeTexts[0]);
  const { tokenLogProbabilities } = await ask(server, { ids, topK: expected.topK }, signal);
  const values = tokenLogProbabilities.subarray(1);
  expectSameModel(server.url, before.values.subarray(0, values.length), values);
}

/**
 * Whether a server that was met before still has the same model.
 *
 * @throws FuseMeshError failed_precondition
 */
export function expectSameModel(url: string, before: Float32Array, now: Float32Array): void {
  const apart = meanDifference(before, now);
  if (apart <= mostDifference) return;
  throw new FuseMeshError(
    'failed_precondition',
    `The model behind ${url} is another one than this teacher began with: its log-probabilities are ` +
      `${apart.toFixed(3)} nats apart in the mean. Serve the first one again, or begin a new run.`,
  );
}

function read<T>(schema: z.ZodType<T>, body: Buffer, url: string): T {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    json = undefined;
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FuseMeshError(
    'failed_precondition',
    `The server at ${url} answers otherwise than expected (${issue.path.join('.') || 'no JSON'}: ${issue.message}): is served.api right?`,
  );
}
