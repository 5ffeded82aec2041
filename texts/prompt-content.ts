import type { Conversation } from '../model/chat/conversation.ts';
import { type ContentProblem, readMessages } from './messages.ts';
import type { Row } from './row.ts';
import { type Keyed, textContent, withNumbersOf, withTools } from './row-content.ts';
import { contentKeys, teacherKey } from './row-format.ts';

/** What a model is to answer, or to go on with. */
export interface Prompt {
  /** Nothing of it is learnt. A text is one turn that nobody speaks. */
  readonly conversation: Conversation;
  /** Who judges the completion alone; '' where the row does not say. */
  readonly teacher: string;
}

/**
 * The prompt of a row: its prompt, be it a text or messages; its messages, without a last one of an assistant, which is
 * what is to be written; or its text.
 *
 * @param column the key that holds it; left out, one of these must be there
 */
export function promptContent(
  row: Row,
  column: string | undefined,
): { readonly content: Prompt } | ContentProblem {
  if ('problem' in row) return row;
  const { value } = row;
  if (value === null) return { problem: 'null' };
  if (typeof value !== 'object' || Array.isArray(value)) return { problem: 'no object' };
  const [key] = contentKeys((name) => Object.hasOwn(value, name), column, 'prompts') ?? [];
  if (key === undefined) return { problem: 'no such column' };
  const keyed = value as Keyed;
  const teacher = keyed[teacherKey] ?? '';
  if (typeof teacher !== 'string') return { problem: 'no string', at: teacherKey };
  const read =
    Array.isArray(keyed[key]) || key === 'messages' || key === 'conversations'
      ? messagesOf(row, keyed, key)
      : textOf(keyed[key], key);
  return 'problem' in read ? read : { content: { conversation: read.content, teacher } };
}

function textOf(value: unknown, key: string): { readonly content: Conversation } | ContentProblem {
  const text = textContent(value, key);
  if ('problem' in text) return text;
  const turn = { role: '', content: text.content, learnt: false, extras: '' };
  return { content: { turns: [turn], tools: '' } };
}

function messagesOf(
  row: { readonly json?: string },
  keyed: Keyed,
  key: string,
): { readonly content: Conversation } | ContentProblem {
  const messages = readMessages(keyed[key], key);
  if ('problem' in messages) return messages;
  const asked = messages.at(-1)?.role === 'assistant' ? messages.slice(0, -1) : messages;
  if (asked.length === 0) return { problem: 'empty', at: key };
  const turns = asked.map((message) => ({ ...message, learnt: false }));
  return withNumbersOf(row.json, withTools(keyed, turns));
}
