import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ServedTokenizer } from '../../test/served/served-tokenizer.ts';

// A vLLM without a model: every row is the same, and an answer to a prompt that came before is there already.
const [directory, k] = [process.argv[2], Number(process.argv[3])];
const tokenizer = await ServedTokenizer.read(directory);
const contextLength = 4096;
const answers = new Map<string, Buffer>();

const logProbabilities = Array.from({ length: k }, (_, j) => Math.fround(-2.4 - 0.11 * j));
/** Ids and texts of the candidates: those of common tokens. */
const candidates = Array.from({ length: k }, (_, j) => ({
  id: 300 + 7 * j,
  text: tokenizer.text(300 + 7 * j),
}));

const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  switch (request.url) {
    case '/v1/models':
      return send(response, JSON.stringify({ data: [{ id: 'model', max_model_len: contextLength }] }));
    case '/tokenize': {
      const { prompt, add_special_tokens: addSpecialTokens } = JSON.parse(body);
      return send(response, JSON.stringify({ tokens: await tokenizer.encode(prompt, { addSpecialTokens }) }));
    }
    case '/v1/completions': {
      let answer = answers.get(body);
      if (answer === undefined) {
        answer = Buffer.from(completion(JSON.parse(body).prompt));
        answers.set(body, answer);
      }
      return send(response, answer);
    }
    default:
      return send(response, '{"version":"0.32.0"}');
  }
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
process.once('disconnect', () => process.exit());

function send(response: ServerResponse, body: string | Buffer): void {
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

/** As vLLM writes it, the actual token beside the k where it is none of them. */
function completion(ids: readonly number[]): string {
  const entry = (id: number, logprob: number, rank: number, text: string) =>
    `"${id}":{"logprob":${logprob},"rank":${rank},"decoded_token":${JSON.stringify(text)}}`;
  const top = candidates.map(({ id, text }, j) => entry(id, logProbabilities[j], j + 1, text)).join();
  const known = new Set(candidates.map(({ id }) => id));
  const rows = ids
    .slice(1)
    .map((id) => `{${known.has(id) ? '' : `${entry(id, -9.25, 900, tokenizer.text(id))},`}${top}}`);
  const last = candidates.map(({ id }, j) => `"token_id:${id}":${logProbabilities[j]}`).join();
  return `{"id":"cmpl-0","object":"text_completion","created":1790000000,"model":"model","choices":[{"index":0,"text":"","logprobs":{"text_offset":[0],"token_logprobs":[${logProbabilities[0]}],"tokens":["token_id:${candidates[0].id}"],"top_logprobs":[{${last}}]},"finish_reason":"length","stop_reason":null,"token_ids":null,"prompt_logprobs":[${['null', ...rows].join()}],"prompt_token_ids":null}],"usage":{"prompt_tokens":${ids.length},"total_tokens":${ids.length + 1},"completion_tokens":1}}`;
}
