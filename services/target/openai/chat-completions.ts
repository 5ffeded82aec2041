import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { GeneratedPiece } from '../../../model/generation/generator.ts';
import type { Tokenizer } from '../../../model/tokenizer/tokenizer.ts';
import { mostBytesOf } from '../../calls/content-rules.ts';
import { answerChoices } from './answer-choices.ts';
import { chatConversation, messages, toolChoice, tools } from './chat-conversation.ts';
import { chatTokens } from './chat-log-probabilities.ts';
import type { Exchange } from './exchange.ts';
import { refuseOtherModel } from './models.ts';
import { parametersOf, samplingOf, samplingShape } from './parameters.ts';
import { RequestRefusal } from './request-refusal.ts';

const most = z.number().int().min(1).nullish();
const shape = {
  ...samplingShape,
  messages,
  tools: tools.nullish(),
  tool_choice: toolChoice.nullish(),
  max_tokens: most,
  max_completion_tokens: most,
  logprobs: z.boolean().nullish(),
  top_logprobs: z.number().int().min(0).max(20).nullish(),
};

/**
 * POST /v1/chat/completions: answers a conversation by the model's own chat template.
 *
 * @throws RequestRefusal, or what an answer fails with
 */
export async function chatCompletions(exchange: Exchange): Promise<void> {
  const { name, answers, body } = exchange;
  const asked = parametersOf(shape, body);
  refuseOtherModel(asked.model, name);
  if (asked.top_logprobs && !asked.logprobs) {
    throw new RequestRefusal('top_logprobs goes with logprobs: true.', {
      param: 'top_logprobs',
      reason: 'invalid_value',
    });
  }
  const { card, encoder } = answers.model;
  const prompt = chatConversation(asked, (word) => encoder.template.format.template.includes(word));
  const bytes = prompt.turns.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  if (bytes > mostBytesOf(card)) {
    throw new RequestRefusal(
      `The messages have ${bytes} bytes; at most ${mostBytesOf(card)} fit the context.`,
      {
        param: 'messages',
        reason: 'context_length_exceeded',
      },
    );
  }
  const perPrompt = asked.n ?? 1;
  const maxTokens = asked.max_completion_tokens ?? asked.max_tokens ?? undefined;
  const logProbabilities = asked.logprobs ? (asked.top_logprobs ?? 0) : undefined;
  await answerChoices(exchange, {
    requests: Array.from({ length: perPrompt }, (_, i) => ({
      prompt,
      maxTokens,
      logProbabilities,
      ...samplingOf(asked, i),
    })),
    perPrompt,
    stream: asked.stream ?? false,
    includeUsage: asked.stream_options?.include_usage ?? false,
    form: chatForm(name, encoder.tokenizer, logProbabilities !== undefined),
  });
}

function chatForm(model: string, tokenizer: Tokenizer, withLogProbabilities: boolean) {
  const head = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model };
  const logprobsOf = (pieces: readonly GeneratedPiece[]) =>
    withLogProbabilities
      ? { content: pieces.flatMap((piece) => chatTokens(piece, tokenizer)), refusal: null }
      : null;
  return {
    head: { ...head, object: 'chat.completion' },
    chunkHead: { ...head, object: 'chat.completion.chunk' },
    choice: (index: number, pieces: readonly GeneratedPiece[]) => ({
      index,
      message: { role: 'assistant', content: pieces.map(({ text }) => text).join(''), refusal: null },
      logprobs: logprobsOf(pieces),
      finish_reason: pieces.at(-1)?.finishReason ?? null,
    }),
    begin: (index: number) => ({
      index,
      delta: { role: 'assistant', content: '', refusal: null },
      logprobs: null,
      finish_reason: null,
    }),
    chunk({ index, piece }: { index: number; piece: GeneratedPiece }) {
      const { text, finishReason } = piece;
      const logprobs = logprobsOf([piece]);
      if (text === '' && finishReason === undefined && logprobs === null) return undefined;
      return {
        index,
        delta: text === '' ? {} : { content: text },
        logprobs,
        finish_reason: finishReason ?? null,
      };
    },
  };
}
