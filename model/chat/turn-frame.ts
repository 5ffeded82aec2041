import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Tokenization } from '../tokenizer/tokenization.ts';
import type { ChatTemplate } from './chat-template.ts';
import type { Turn } from './conversation.ts';
import { messagesOf } from './messages.ts';
import { renderConversation } from './rendered-turns.ts';

const turn = (role: string, content: string, extras = ''): Turn => ({ role, content, learnt: false, extras });
const exchange = [turn('user', 'Ask.'), turn('assistant', 'Answer.')];
const longer = [...exchange, turn('user', 'Again?'), turn('assistant', 'Again.')];
const toolCall = JSON.stringify({
  tool_calls: [{ id: 'call00001', type: 'function', function: { name: 'look', arguments: { at: 'it' } } }],
});
const calling = [turn('user', 'Look.'), turn('assistant', 'I look.', toolCall)];

/**
 * What stands before an answer for the model to go on with ("<|im_start|>assistant\n"); '' where the template does not
 * put it behind a conversation when it is asked to.
 */
export function generationPromptOf(template: ChatTemplate): string {
  const messages = messagesOf({ turns: exchange.slice(0, 1), tools: '' });
  const [without, withPrompt] = [false, true].map((addGenerationPrompt) =>
    renderedOrNot(() => template.render(messages, { addGenerationPrompt })),
  );
  if (without === undefined || withPrompt?.startsWith(without) !== true) return '';
  return withPrompt.slice(without.length);
}

/**
 * The tokens that end an assistant's turn: of the last turn, of an earlier one, of one that calls tools; the same one is
 * there once.
 *
 * @param encode the ids of a rendering, and their spans in it
 * @param mayEnd whether a token may be one: it is special
 */
export async function endsOfTurnOf(
  template: ChatTemplate,
  encode: (rendering: string) => Promise<Tokenization>,
  mayEnd: (id: number) => boolean,
): Promise<number[]> {
  const found: number[] = [];
  let behind: readonly number[] = [];
  for (const turns of [exchange, longer, calling]) {
    const rendering = renderedOrNot(() => renderConversation(template, { turns, tools: '' }, ''));
    const place = rendering?.turns[1];
    if (rendering === undefined || place === undefined) continue;
    const tokens = await encode(rendering.text).catch(noneWhereRefused);
    if (tokens === undefined) continue;
    const { ids, starts, ends } = tokens;
    const from = Buffer.byteLength(rendering.text.slice(0, place.to));
    const to = Buffer.byteLength(rendering.text.slice(0, rendering.turns[2]?.from));
    const special = [...ids].filter((id, i) => starts[i] >= from && ends[i] <= to && mayEnd(id));
    if (turns === exchange) behind = special.slice(1);
    // Tool calls stand between the content and what ends the turn.
    const end = turns === calling ? special.findLast((id) => !behind.includes(id)) : special[0];
    if (end !== undefined && !found.includes(end)) found.push(end);
  }
  return found;
}

function renderedOrNot<Rendered>(render: () => Rendered): Rendered | undefined {
  try {
    return render();
  } catch (cause) {
    return noneWhereRefused(cause);
  }
}

/** A template may refuse a conversation of this kind, and a model its tokens; they say so when they get one. */
function noneWhereRefused(cause: unknown): undefined {
  if (!(cause instanceof FuseMeshError)) throw cause;
}
