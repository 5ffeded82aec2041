import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ServedServer } from './served-server.ts';

/** What a real vLLM 0.32 with SmolLM2 answered, with --max-logprobs 64 and --max-model-len 2048. */
interface Recorded {
  readonly path: string;
  readonly request?: { readonly prompt: string | readonly number[] };
  readonly status: number;
  readonly answer: string;
}

const directory = fileURLToPath(new URL('../../examples/zoo/orator', import.meta.url));
const contextLength = 200;
const file = new URL('./recorded/vllm-0.32.json', import.meta.url);
const recorded = JSON.parse(await readFile(file, 'utf8')) as Record<string, Recorded>;
let server: ServedServer;

beforeAll(async () => {
  server = await ServedServer.start({ api: 'vllm', directory, contextLength, maxLogprobs: 64 });
});
afterAll(() => server?.stop());

/** The same prompt for our small model: its ids, its length. */
function ours(name: string, prompt: string | readonly number[]): unknown {
  if (name === 'full') return Array(contextLength).fill(5);
  if (name === 'tooLong') return Array(contextLength + 1).fill(5);
  return typeof prompt === 'string' ? prompt : prompt.map((id) => (id === 49_152 ? 3000 : id % 3000));
}

/** Names and kinds of an answer's members; ids of tokens are all one name. */
function shapeOf(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value === null ? null : typeof value;
  if (Array.isArray(value)) return value.map(shapeOf);
  const members = Object.entries(value).map(([key, member]) => [
    key.replace(/^(token_id:)?\d+$/, '$1id'),
    shapeOf(member),
  ]);
  return Object.fromEntries(members);
}

it.each(Object.keys(recorded))('answers as the real one does: %s', async (name) => {
  const { path, request, status, answer } = recorded[name];
  const response = await fetch(
    server.url + path,
    request && { method: 'POST', body: JSON.stringify({ ...request, prompt: ours(name, request.prompt) }) },
  );
  expect(response.status).toBe(status);
  const [got, wanted] = [JSON.parse(await response.text()), JSON.parse(answer)];
  // Other texts have other numbers of tokens.
  if (name === 'tokenize') for (const each of [got, wanted]) each.tokens = each.tokens.slice(0, 1);
  if (status === 200) expect(shapeOf(got)).toEqual(shapeOf(wanted));
  else expect(withoutSizes(got)).toEqual(withoutSizes(wanted));
});

const withoutSizes = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value)
      .replaceAll(/2048|2049|200|201|49152|3000/g, '…')
      .replaceAll('……', '…'),
  );
