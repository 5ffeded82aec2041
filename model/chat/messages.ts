import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Conversation } from './conversation.ts';
import { parsePythonJson } from './jinja/python-json.ts';

/** A message as templates see it. */
export type Message = Readonly<Record<string, unknown>> & {
  readonly role: string;
  readonly content: string;
};

/** Names under which a message's thoughts are passed; templates read the first, gpt-oss the second. */
const reasoningFields = ['reasoning_content', 'thinking', 'reasoning'];

/**
 * The turns as transformers give them to a template: with what else a message has, without what is null, and its
 * thoughts by each name that templates read them by.
 *
 * @throws FuseMeshError invalid_argument where what else a turn has is no JSON object
 */
export function messagesOf({ turns }: Conversation): Message[] {
  return turns.map(({ role, content, extras }, i) => {
    const more = extras === '' ? {} : jsonOf(extras, `What turn ${i + 1} has beside role and content`);
    if (typeof more !== 'object' || more === null || Array.isArray(more)) {
      throw new FuseMeshError(
        'invalid_argument',
        `What turn ${i + 1} has beside role and content is no JSON object: ${extras.slice(0, 80)}`,
      );
    }
    const kept = Object.fromEntries(Object.entries(more).filter(([, value]) => value !== null));
    const thoughts = reasoningFields.map((field) => kept[field]).find((value) => value !== undefined);
    const named = thoughts === undefined ? {} : { thinking: thoughts, reasoning_content: thoughts };
    return {
      ...named,
      ...kept,
      ...(thoughts === undefined ? {} : { reasoning_content: thoughts }),
      role,
      content,
    };
  });
}

/**
 * The tools as a template takes them; undefined where there are none.
 *
 * @throws FuseMeshError invalid_argument
 */
export function toolsOf({ tools }: Conversation): unknown {
  return tools === '' ? undefined : jsonOf(tools, 'What the conversation has as tools');
}

function jsonOf(text: string, name: string): unknown {
  try {
    return parsePythonJson(text);
  } catch (cause) {
    const reason = cause instanceof RangeError ? `cannot be read: ${cause.message}` : 'is no JSON';
    throw new FuseMeshError('invalid_argument', `${name} ${reason}: ${text.slice(0, 80)}`, { cause });
  }
}
