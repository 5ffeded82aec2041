import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Conversation } from '../../model/chat/conversation.ts';
import type { ChatTokenizer } from './chat-models.ts';

/** What transformers and TRL made of a conversation (test/oracle/chat.py); digests are beginnings of SHA-256. */
export interface ChatResult {
  readonly model: string;
  readonly conversation: string;
  /** Why it was refused; the rest is then missing. */
  readonly refused?: string;
  /** Digests of the rendering, of that with a generation prompt, and of the ids as little-endian int32. */
  readonly text: string;
  readonly prompted: string;
  readonly ids: string;
  readonly tokens: number;
  readonly wholeText?: string;
  readonly wholeIds?: readonly number[];
  /** Where TRL's masks are 1: from, to, from, to, … */
  readonly assistant?: readonly number[];
  readonly completion?: readonly number[];
}

interface GoldenMessage {
  readonly role: string;
  readonly content: string;
  readonly [field: string]: unknown;
}

interface GoldenChat {
  readonly models: Readonly<
    Record<
      string,
      { tokenizer: ChatTokenizer | 'smollm2'; template: string | null; specialTokens: Record<string, string> }
    >
  >;
  readonly conversations: readonly { name: string; messages: readonly GoldenMessage[]; tools: unknown }[];
  readonly results: readonly ChatResult[];
  readonly strings: readonly {
    tokenizer: ChatTokenizer;
    eos: string;
    prompt: string;
    completion: string;
    ids: readonly number[];
    mask: readonly number[];
  }[];
}

export const goldenChat: GoldenChat = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden-chat/golden.json'), 'utf8'),
);

/** A golden conversation as a document holds it, of which all that assistants say is learnt, or the last turn alone. */
export function goldenConversation(name: string, learn: 'assistant' | 'last' = 'assistant'): Conversation {
  const { messages, tools } = goldenChat.conversations.find((own) => own.name === name)!;
  return {
    turns: messages.map(({ role, content, ...extras }, i) => ({
      role,
      content,
      learnt: learn === 'last' ? i === messages.length - 1 : role === 'assistant',
      extras: Object.keys(extras).length === 0 ? '' : JSON.stringify(extras),
    })),
    tools: tools === null ? '' : JSON.stringify(tools),
  };
}

export const digestOf = (data: string | Uint8Array): string =>
  createHash('sha256').update(data).digest('hex').slice(0, 16);

export const digestOfIds = (ids: Int32Array): string =>
  digestOf(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength));

/** A mask from where it is 1. */
export function maskOf(tokens: number, edges: readonly number[]): number[] {
  const mask = new Array<number>(tokens).fill(0);
  for (let i = 0; i < edges.length; i += 2) mask.fill(1, edges[i], edges[i + 1]);
  return mask;
}
