import { FuseMeshError } from '../errors/fusemesh-error.ts';
import type { Content, Conversation, Turn } from '../model/chat/conversation.ts';
import { type ContentProblem, halfEscape, type Message, readMessages } from './messages.ts';
import type { Row } from './row.ts';
import { contentKeys } from './row-format.ts';
import { rewrittenNumber } from './written-numbers.ts';

/** What of a content the target learns: what assistants say, the completion of a prompt, or all. */
export type Learn = 'assistant' | 'completion' | 'all';

export interface ContentOptions {
  /** The key that holds the content; left out, one of TRL's formats must be there (row-format.ts). */
  readonly column?: string | undefined;
  /** Left out, what the kind of content suggests: assistant of messages, completion of a prompt's, all of a text. */
  readonly learn?: Learn | undefined;
}

export type Keyed = Readonly<Record<string, unknown>>;

/**
 * The content of a row: a text, or a conversation with what is learnt of it.
 *
 * @throws FuseMeshError invalid_argument where the entry says to learn what this kind of content does not have
 */
export function rowContent(row: Row, options: ContentOptions): { content: Content } | ContentProblem {
  if ('problem' in row) return row;
  const { value } = row;
  if (value === null) return { problem: 'null' };
  if (typeof value !== 'object' || Array.isArray(value)) return { problem: 'no object' };
  const keys = contentKeys((key) => Object.hasOwn(value, key), options.column);
  if (keys === undefined) return { problem: 'no such column' };
  const keyed = value as Keyed;
  const [key, completion] = keys;
  const found = keyed[key];
  if (options.column === undefined ? key === 'text' : !Array.isArray(found)) {
    learnOf(row, options.learn, 'all', []);
    return textContent(found, options.column);
  }
  const learn = (own: Learn, others: readonly Learn[]) => learnOf(row, options.learn, own, others);
  if (completion !== undefined) {
    const read = promptCompletion(keyed, (isChat) =>
      learn('completion', isChat ? ['assistant', 'all'] : ['all']),
    );
    return withNumbersOf(row.json, read);
  }
  const messages = readMessages(found, key);
  if ('problem' in messages) return messages;
  const isLearnt = learn('assistant', ['all']);
  const turns = messages.map((message) => ({
    ...message,
    learnt: isLearnt === 'all' || message.role === 'assistant',
  }));
  return withNumbersOf(row.json, withTools(keyed, turns));
}

/** What templates write must have the numbers as the row has them. */
export function withNumbersOf(
  json: string | undefined,
  read: { content: Conversation } | ContentProblem,
): { content: Conversation } | ContentProblem {
  if (json === undefined || 'problem' in read) return read;
  const { turns, tools } = read.content;
  const number = rewrittenNumber(json, [tools, ...turns.map(({ extras }) => extras)]);
  return number === undefined ? read : { problem: 'a number that would be another', at: number };
}

export function textContent(
  value: unknown,
  column: string | undefined,
): { content: string } | ContentProblem {
  if (typeof value === 'string' && value !== '' && value.isWellFormed()) return { content: value };
  if (value === null) return { problem: 'null' };
  if (value === '') return { problem: 'empty' };
  const problem = typeof value === 'string' ? 'half a character' : 'no string';
  return column === undefined ? { problem } : { problem, at: column };
}

/** Both as strings, which nobody speaks, or both as messages. */
function promptCompletion(
  row: Keyed,
  learnOfKind: (isChat: boolean) => Learn,
): { content: Conversation } | ContentProblem {
  const isChat = [row['prompt'], row['completion']].map(Array.isArray);
  if (isChat[0] !== isChat[1]) return { problem: 'not of one kind' };
  const prompt = isChat[0] ? readMessages(row['prompt'], 'prompt') : readWords(row['prompt'], 'prompt');
  if ('problem' in prompt) return prompt;
  const completion = isChat[0]
    ? readMessages(row['completion'], 'completion')
    : readWords(row['completion'], 'completion');
  if ('problem' in completion) return completion;
  const learn = learnOfKind(isChat[0]);
  const isLearnt = {
    all: () => true,
    assistant: ({ role }: Message) => role === 'assistant',
    completion: (message: Message) => completion.includes(message),
  }[learn];
  const turns = [...prompt, ...completion].map((message) => ({ ...message, learnt: isLearnt(message) }));
  return isChat[0] ? withTools(row, turns) : { content: { turns, tools: '' } };
}

function readWords(value: unknown, key: 'prompt' | 'completion'): readonly Message[] | ContentProblem {
  if (value === null) return { problem: 'null', at: key };
  if (typeof value !== 'string') return { problem: 'no string', at: key };
  if (key === 'completion' && value === '') return { problem: 'empty', at: key };
  return value.isWellFormed()
    ? [{ role: '', content: value, extras: '' }]
    : { problem: 'half a character', at: key };
}

/** A conversation of a row's turns and its tools, which are a list of JSON schemas, or that as a string. */
export function withTools(row: Keyed, turns: readonly Turn[]): { content: Conversation } | ContentProblem {
  const settings = row['chat_template_kwargs'] ?? {};
  if (typeof settings !== 'object' || Object.keys(settings).length > 0)
    return { problem: 'own settings for its template' };
  const given = row['tools'] ?? [];
  const tools = typeof given === 'string' && given !== '' ? parsed(given) : given;
  if (tools === '' || (Array.isArray(tools) && tools.length === 0)) return { content: { turns, tools: '' } };
  if (!Array.isArray(tools)) return { problem: 'no tools' };
  const written = JSON.stringify(tools);
  if (halfEscape.test(written)) return { problem: 'half a character', at: 'tools' };
  // Given as a string, its numbers remain as they are written.
  return { content: { turns, tools: typeof given === 'string' ? given : written } };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function learnOf(row: Row, wanted: Learn | undefined, own: Learn, others: readonly Learn[]): Learn {
  if (wanted === undefined || wanted === own || others.includes(wanted)) return wanted ?? own;
  const kinds: Record<Learn, string> = {
    assistant: 'messages, which have no completion',
    completion: 'a prompt with its completion, which no assistant speaks',
    all: 'a text, in which nobody speaks',
  };
  throw new FuseMeshError(
    'invalid_argument',
    `learn is ${wanted}, but ${row.place} is ${kinds[own]}: leave learn out, or set it to ${[own, ...others].join(' or ')}.`,
  );
}
