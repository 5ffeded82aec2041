import { z } from 'zod';
import { RequestRefusal } from './request-refusal.ts';

/** Most answers to one prompt, as at OpenAI. */
const mostAnswers = 128;

const stopString = z.string().min(1).max(1024);

/** What both endpoints take. A null is as if the parameter were left out. */
export const samplingShape = {
  model: z.string(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  n: z.number().int().min(1).max(mostAnswers).nullish(),
  seed: z.number().int().nullish(),
  stop: z.union([stopString, z.array(stopString).max(16)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z
    .object({ include_usage: z.boolean().nullish(), include_obfuscation: z.boolean().nullish() })
    .nullish(),
};

/** What changes no answer here: who asks, and how OpenAI runs its machines. */
const harmless: ReadonlySet<string> = new Set([
  'user',
  'metadata',
  'store',
  'service_tier',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'verbosity',
  'parallel_tool_calls',
]);

/** What would change answers and is not done here, with the value that asks for nothing. */
const neutral: Readonly<Record<string, unknown>> = {
  best_of: 1,
  echo: false,
  suffix: '',
  frequency_penalty: 0,
  presence_penalty: 0,
  logit_bias: {},
  response_format: { type: 'text' },
  modalities: ['text'],
};

/**
 * Checks a request's parameters.
 *
 * @throws RequestRefusal that names the first one that is wrong, or not known, or not done here
 */
export function parametersOf<Shape extends z.ZodRawShape>(
  shape: Shape,
  body: Readonly<Record<string, unknown>>,
): z.infer<z.ZodObject<Shape>> {
  for (const [param, value] of Object.entries(body)) {
    if (param in shape || harmless.has(param) || value === null) continue;
    if (param in neutral && JSON.stringify(value) === JSON.stringify(neutral[param])) continue;
    throw new RequestRefusal(`${param} is not supported here, and would change the answer: leave it out.`, {
      param,
      reason: 'unsupported_parameter',
    });
  }
  const checked = z.object(shape).safeParse(body);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const param = paramOf(issue.path);
  const { message } = issue.code === 'invalid_union' ? (innermost(issue) ?? issue) : issue;
  throw new RequestRefusal(`${param || 'The body'}: ${message}.`, { param, reason: 'invalid_value' });
}

/** "messages[0].content". */
export const paramOf = (path: readonly PropertyKey[]): string =>
  path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${String(key)}`))
    .join('');

/** What the alternative of a union misses that comes nearest. */
function innermost(issue: z.core.$ZodIssueInvalidUnion): z.core.$ZodIssue | undefined {
  return issue.errors.find(([first]) => first !== undefined && first.code !== 'invalid_type')?.[0];
}

type SamplingParameters = z.infer<z.ZodObject<typeof samplingShape>>;

/** How one answer of several is drawn. @param index of the answer: with a seed, each has one of its own */
export function samplingOf(
  { temperature, top_p, seed, stop }: SamplingParameters,
  index: number,
): { temperature: number; topP: number; seed: number; stop: readonly string[] } {
  const first = seed ?? Math.floor(Math.random() * 2 ** 32);
  return {
    temperature: temperature ?? 1,
    topP: top_p ?? 1,
    // Every whole number is a seed at OpenAI, also a negative one.
    seed: (((first + index) % 2 ** 32) + 2 ** 32) % 2 ** 32,
    stop: typeof stop === 'string' ? [stop] : (stop ?? []),
  };
}
