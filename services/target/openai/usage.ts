import type { ChoicePiece } from '../answers/write-choices.ts';

/** Tokens of a request, as OpenAI's answers count them. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** Counts the tokens of a request's answers. Each prompt counts once, however many answers it has. */
export class UsageCount {
  readonly #perPrompt: number;
  readonly #prompts = new Map<number, number>();
  readonly #completions = new Map<number, number>();

  /** @param perPrompt answers to each prompt, which stand side by side */
  constructor(perPrompt: number) {
    this.#perPrompt = perPrompt;
  }

  count({ index, piece }: ChoicePiece): void {
    this.#prompts.set(Math.floor(index / this.#perPrompt), piece.promptTokens);
    this.#completions.set(index, piece.tokens);
  }

  get usage(): Usage {
    const [prompt_tokens, completion_tokens] = [this.#prompts, this.#completions].map((counts) =>
      [...counts.values()].reduce((sum, tokens) => sum + tokens, 0),
    );
    return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
  }
}
