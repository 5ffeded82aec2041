import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { GeneratedPiece } from '../../../model/generation/generator.ts';
import type { Tokenizer } from '../../../model/tokenizer/tokenizer.ts';
import { mostBytesOf } from '../../calls/content-rules.ts';
import type { Prompt } from '../answers/prompt-of.ts';
import { answerChoices } from './answer-choices.ts';
import { CompletionTokens, joined } from './completion-log-probabilities.ts';
import type { Exchange } from './exchange.ts';
import { refuseOtherModel } from './models.ts';
import { parametersOf, samplingOf, samplingShape } from './parameters.ts';
import { RequestRefusal } from './request-refusal.ts';

const tokenIds = z.array(z.number().int().min(0)).min(1);
const shape = {
  ...samplingShape,
  prompt: z.union(
    [z.string(), z.array(z.string()).min(1).max(128), tokenIds, z.array(tokenIds).min(1).max(128)],
    { error: 'use a text, token ids, or a list of either' },
  ),
  max_tokens: z.number().int().min(1).nullish(),
  logprobs: z.number().int().min(0).max(20).nullish(),
};

/** Tokens that OpenAI writes where a completion is not told how many. */
const defaultTokens = 16;

/**
 * POST /v1/completions: goes on with each prompt.
 *
 * @throws RequestRefusal, or what an answer fails with
 */
export async function completions(exchange: Exchange): Promise<void> {
  const { name, answers } = exchange;
  const asked = parametersOf(shape, exchange.body);
  refuseOtherModel(asked.model, name);
  const prompts = promptsOf(asked.prompt);
  refuseLong(prompts, mostBytesOf(answers.model.card));
  const perPrompt = asked.n ?? 1;
  const logProbabilities = asked.logprobs ?? undefined;
  const maxTokens = asked.max_tokens ?? defaultTokens;
  const requests = prompts.flatMap((prompt) =>
    Array.from({ length: perPrompt }, (_, i) => ({
      prompt,
      maxTokens,
      logProbabilities,
      ...samplingOf(asked, i),
    })),
  );
  await answerChoices(exchange, {
    requests,
    perPrompt,
    stream: asked.stream ?? false,
    includeUsage: asked.stream_options?.include_usage ?? false,
    form: completionForm(name, answers.model.encoder.tokenizer, logProbabilities),
  });
}

function promptsOf(prompt: z.infer<typeof shape.prompt>): readonly Prompt[] {
  if (typeof prompt === 'string' || typeof prompt[0] === 'number') return [prompt as string | number[]];
  return prompt as string[] | number[][];
}

function refuseLong(prompts: readonly Prompt[], most: number): void {
  for (const prompt of prompts) {
    if (typeof prompt !== 'string' || Buffer.byteLength(prompt) <= most) continue;
    throw new RequestRefusal(
      `A prompt has ${Buffer.byteLength(prompt)} bytes; at most ${most} fit the context.`,
      {
        param: 'prompt',
        reason: 'context_length_exceeded',
      },
    );
  }
}

function completionForm(model: string, tokenizer: Tokenizer, logProbabilities: number | undefined) {
  const created = Math.floor(Date.now() / 1000);
  const head = { id: `cmpl-${randomUUID()}`, object: 'text_completion', created, model };
  const tokens = new Map<number, CompletionTokens>();
  const logprobsOf = (index: number, pieces: readonly GeneratedPiece[]) => {
    if (logProbabilities === undefined) return null;
    const own = tokens.get(index) ?? new CompletionTokens(tokenizer, logProbabilities);
    tokens.set(index, own);
    return joined(pieces.map((piece) => own.add(piece)));
  };
  return {
    head,
    chunkHead: head,
    choice: (index: number, pieces: readonly GeneratedPiece[]) => ({
      index,
      text: pieces.map(({ text }) => text).join(''),
      logprobs: logprobsOf(index, pieces),
      finish_reason: pieces.at(-1)?.finishReason ?? null,
    }),
    chunk({ index, piece }: { index: number; piece: GeneratedPiece }) {
      const { text, finishReason } = piece;
      const logprobs = logprobsOf(index, [piece]);
      if (text === '' && finishReason === undefined && logprobs === null) return undefined;
      return { index, text, logprobs, finish_reason: finishReason ?? null };
    },
  };
}
