import { stopwatch } from '../mesh/answer-lines.ts';

/** A process that answers OpenAI's /v1/completions. */
export interface CompletionServer {
  /** http://HOST:PORT. */
  readonly url: string;
  /** Name of its model in requests. */
  readonly model: string;
  close(): Promise<void>;
}

export interface Completed {
  /** Wall time until the last answer is there whole. */
  readonly seconds: number;
  /** New tokens of all. */
  readonly tokens: number;
  /** New text of each prompt. */
  readonly texts: readonly string[];
}

interface Answer {
  readonly choices: readonly { readonly text: string }[];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
}

/** Has prompts of token ids continued by greedy search, each by a request of its own, all at the same time. */
export async function completeTogether(
  server: CompletionServer,
  prompts: readonly (readonly number[])[],
  maxTokens: number,
): Promise<Completed> {
  const elapsed = stopwatch();
  const answers = await Promise.all(prompts.map((prompt) => complete(server, prompt, maxTokens)));
  const { seconds } = elapsed();
  return {
    seconds,
    tokens: answers.reduce((sum, { usage }) => sum + usage.completion_tokens, 0),
    texts: answers.map(({ choices }) => choices[0].text),
  };
}

async function complete(
  { url, model }: CompletionServer,
  prompt: readonly number[],
  maxTokens: number,
): Promise<Answer> {
  const response = await fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, prompt, max_tokens: maxTokens, temperature: 0 }),
  });
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${await response.text()}`);
  const answer = (await response.json()) as Answer;
  if (answer.usage.prompt_tokens !== prompt.length)
    throw new Error(`${url} has read ${answer.usage.prompt_tokens} tokens of a prompt of ${prompt.length}`);
  return answer;
}
