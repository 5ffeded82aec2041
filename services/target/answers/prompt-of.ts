import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { ContentEncoder } from '../../../model/chat/content-encoder.ts';
import type { Conversation } from '../../../model/chat/conversation.ts';
import { messagesOf, toolsOf } from '../../../model/chat/messages.ts';
import type { GenerationRequest } from '../../../model/generation/generator.ts';
import type { Tokenizer } from '../../../model/tokenizer/tokenizer.ts';

/** What a model is to go on with: a text as it is, token ids as they are, or a conversation to be answered. */
export type Prompt = string | readonly number[] | Conversation;

/** A prompt that leaves no room for an answer. */
export class PromptTooLong extends FuseMeshError {
  constructor(tokens: number, contextLength: number) {
    super(
      'invalid_argument',
      `The prompt has ${tokens} tokens, and the context of the model ${contextLength}: shorten it.`,
    );
  }
}

/** What the generator is given for a {@link Prompt}. */
type Read = Pick<GenerationRequest, 'prompt' | 'rendered' | 'endOfTurn'>;

/**
 * What the generator is given for a prompt. A conversation becomes what the model's template makes of it, with the
 * beginning of an answer behind; turns without a role are joined and read as a text is.
 *
 * @throws FuseMeshError invalid_argument for a conversation that the template does not take, or ids that are no tokens;
 *   PromptTooLong
 */
export async function promptOf(
  prompt: Prompt,
  encoder: ContentEncoder,
  contextLength: number,
): Promise<Read> {
  const read = await readPrompt(prompt, encoder);
  // No token is shorter than a byte, those that are put in front left out.
  if (Buffer.byteLength(read.prompt) > contextLength / 2) {
    const { tokenizer } = encoder;
    const [{ ids }] = await (read.rendered
      ? tokenizer.encodeRendered([read.prompt])
      : tokenizer.encodeBatch([read.prompt]));
    if (ids.length >= contextLength) throw new PromptTooLong(ids.length, contextLength);
  }
  return read;
}

async function readPrompt(prompt: Prompt, encoder: ContentEncoder): Promise<Read> {
  if (typeof prompt === 'string') return { prompt };
  if (isIds(prompt)) return { prompt: await spelling(prompt, encoder.tokenizer), rendered: true };
  const unspoken = prompt.turns.filter(({ role }) => role === '').length;
  if (unspoken === 0) {
    const { template } = encoder;
    return {
      prompt: template.render(messagesOf(prompt), { tools: toolsOf(prompt), addGenerationPrompt: true }),
      rendered: template.format.template !== '',
      endOfTurn: await encoder.endOfTurn(),
    };
  }
  if (unspoken < prompt.turns.length || prompt.tools !== '') {
    throw new FuseMeshError(
      'invalid_argument',
      'The conversation has turns without a role beside such that have one, or beside tools: give each turn a role, or none.',
    );
  }
  return { prompt: prompt.turns.map(({ content }) => content).join('') };
}

const isIds = (prompt: Prompt): prompt is readonly number[] => Array.isArray(prompt);

/** The text of which the tokenizer makes exactly these ids, nothing put in front. */
async function spelling(ids: readonly number[], tokenizer: Tokenizer): Promise<string> {
  const unknown = ids.find((id) => id >= tokenizer.knownToModel || tokenizer.tokenString(id) === undefined);
  if (unknown !== undefined) {
    throw new FuseMeshError(
      'invalid_argument',
      `The prompt has the token ${unknown}, which the model does not have.`,
    );
  }
  const parts = ids.map((id) => {
    const bytes = tokenizer.tokenBytes(id);
    return bytes === undefined ? Buffer.from(tokenizer.tokenString(id)!) : Buffer.from(bytes, 'latin1');
  });
  const text = Buffer.concat(parts).toString('utf8');
  // A tokenizer that puts a space in front of every text would do so a second time.
  const spellings = text.startsWith(' ') ? [text, text.slice(1)] : [text];
  const tokenizations = await tokenizer.encodeRendered(spellings);
  const exact = tokenizations.findIndex((found) => isSame(found.ids, ids));
  if (exact >= 0) return spellings[exact];
  throw new FuseMeshError(
    'invalid_argument',
    'The prompt’s token ids are not those that the tokenizer makes of their text: send the text, or ids of whole words.',
  );
}

const isSame = (a: ArrayLike<number>, b: readonly number[]): boolean =>
  a.length === b.length && b.every((id, i) => id === a[i]);
