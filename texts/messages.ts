import type { Turn } from '../model/chat/conversation.ts';
import type { RowProblem } from './row.ts';

/** What is wrong with a row, and where in it. */
export interface ContentProblem {
  readonly problem: RowProblem;
  /** As messages call it: "messages[2]"; left out, the whole row. */
  readonly at?: string;
}

/** A message as a turn, of which it is not known yet whether it is learnt. */
export type Message = Omit<Turn, 'learnt'>;

/** Who speaks in ShareGPT's conversations, which say "from" and "value" for role and content. */
const shareGptRoles: Readonly<Record<string, string>> = { human: 'user', gpt: 'assistant' };

/**
 * Messages as TRL and transformers take them: [{ role, content, … }, …]. A content may be a list of parts, which must be
 * texts and are joined; where there are tool calls, it may be missing. What else a message has is kept for templates,
 * null left out.
 *
 * @param key that holds them, for messages
 */
export function readMessages(value: unknown, key: string): readonly Message[] | ContentProblem {
  if (!Array.isArray(value)) return { problem: value === null ? 'null' : 'no messages', at: key };
  if (value.length === 0) return { problem: 'empty', at: key };
  const messages: Message[] = [];
  for (const [i, each] of value.entries()) {
    const message = readMessage(each, `${key}[${i}]`);
    if ('problem' in message) return message;
    messages.push(message);
  }
  return messages;
}

function readMessage(value: unknown, at: string): Message | ContentProblem {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { problem: 'no messages', at };
  const { role: named, content: said, from, value: words, ...others } = value as Record<string, unknown>;
  const isShareGpt = named === undefined && from !== undefined;
  const role = isShareGpt ? (shareGptRoles[String(from)] ?? from) : named;
  if (typeof role !== 'string' || role === '') return { problem: 'no role', at };
  const kept = Object.entries(others).filter(([, other]) => other !== null);
  const callsTools = kept.some(([key]) => key === 'tool_calls');
  const content = readContent(isShareGpt ? words : said, callsTools);
  if (content === undefined) return { problem: 'no content', at };
  const extras = kept.length === 0 ? '' : JSON.stringify(Object.fromEntries(kept));
  const isWhole = role.isWellFormed() && content.isWellFormed() && !halfEscape.test(extras);
  return isWhole ? { role, content, extras } : { problem: 'half a character', at };
}

/** How JSON.stringify writes half of a surrogate pair, and nothing else. */
export const halfEscape = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

function readContent(value: unknown, mayBeMissing: boolean): string | undefined {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return mayBeMissing ? '' : undefined;
  if (!Array.isArray(value)) return undefined;
  const texts = value.map((part) => (isTextPart(part) ? part.text : undefined));
  return texts.includes(undefined) ? undefined : texts.join('');
}

const isTextPart = (part: unknown): part is { readonly text: string } =>
  typeof part === 'object' &&
  part !== null &&
  'type' in part &&
  part.type === 'text' &&
  'text' in part &&
  typeof part.text === 'string';
