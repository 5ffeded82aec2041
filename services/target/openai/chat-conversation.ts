import { z } from 'zod';
import type { Conversation, Turn } from '../../../model/chat/conversation.ts';
import { RequestRefusal } from './request-refusal.ts';

const textPart = z.object({
  type: z.literal('text', { error: 'only parts of type text are taken' }),
  text: z.string(),
});
const content = z.union([z.string(), z.array(textPart)]);
const named = { name: z.string().nullish() };
const functionCall = z.object({
  id: z.string(),
  type: z.literal('function'),
  function: z.object({ name: z.string(), arguments: z.string() }),
});

/** A message, as far as chat templates know what to do with it. */
const message = z.discriminatedUnion(
  'role',
  [
    z.object({ role: z.literal(['system', 'developer', 'user']), content, ...named }),
    z.object({
      role: z.literal('assistant'),
      content: content.nullish(),
      refusal: z.null().optional(),
      reasoning_content: z.string().nullish(),
      tool_calls: z.array(functionCall).min(1).nullish(),
      ...named,
    }),
    z.object({ role: z.literal('tool'), content, tool_call_id: z.string(), ...named }),
  ],
  {
    error: ({ code }) =>
      code === 'invalid_union' ? 'use system, developer, user, assistant or tool' : undefined,
  },
);

export const messages = z.array(message).min(1).max(8192);
export const tools = z
  .array(z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: z.string() }) }))
  .min(1);
export const toolChoice = z.literal(['auto', 'none'], { error: 'only auto and none are done here' });

/**
 * The conversation that a model is to answer.
 *
 * @param knows whether the model's chat template speaks of a word
 * @throws RequestRefusal for tools or tool calls that the template has no place for
 */
export function chatConversation(
  asked: {
    readonly messages: z.infer<typeof messages>;
    readonly tools?: z.infer<typeof tools> | null | undefined;
    readonly tool_choice?: z.infer<typeof toolChoice> | null | undefined;
  },
  knows: (word: string) => boolean,
): Conversation {
  const offered = asked.tool_choice === 'none' ? null : asked.tools;
  if (offered && !knows('tools')) {
    throw new RequestRefusal('tools: the chat template of the model has no place for them.', {
      param: 'tools',
      reason: 'unsupported_parameter',
    });
  }
  const turns = asked.messages.map((one, i): Turn => {
    // Few templates know OpenAI's newer name for it.
    const role = one.role === 'developer' && !knows('developer') ? 'system' : one.role;
    return { role, content: textOf(one.content), learnt: false, extras: extrasOf(one, i) };
  });
  return { turns, tools: offered ? JSON.stringify(offered) : '' };
}

const textOf = (parts: z.infer<typeof content> | null | undefined): string =>
  typeof parts === 'string' ? parts : (parts ?? []).map(({ text }) => text).join('');

/** What templates read beside role and content, as transformers' templates want it: a call's arguments are an object. */
function extrasOf(one: z.infer<typeof message>, at: number): string {
  const extras: Record<string, unknown> = {};
  if (one.name) extras['name'] = one.name;
  if (one.role === 'tool') extras['tool_call_id'] = one.tool_call_id;
  if (one.role === 'assistant') {
    if (one.reasoning_content) extras['reasoning_content'] = one.reasoning_content;
    if (one.tool_calls) extras['tool_calls'] = one.tool_calls.map((call, i) => withObject(call, at, i));
  }
  return Object.keys(extras).length === 0 ? '' : JSON.stringify(extras);
}

function withObject(call: z.infer<typeof functionCall>, at: number, i: number) {
  let parsed: unknown;
  try {
    parsed = JSON.parse(call.function.arguments);
  } catch {
    const param = `messages[${at}].tool_calls[${i}].function.arguments`;
    throw new RequestRefusal(`${param} is no JSON.`, { param, reason: 'invalid_value' });
  }
  return { ...call, function: { ...call.function, arguments: parsed } };
}
