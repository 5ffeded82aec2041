/**
 * Tokens a second at 1, 4 and 16 requests at a time: ours in process against transformers' generate of the batch padded
 * on the left, then our target service against llama.cpp's server, both over HTTP.
 *
 * `-- serve DIRECTORY` takes a model of your own; left out, models/smollm2-135m-instruct (npm run smollm2 makes it).
 * Greedy search, 64 new tokens each, prompts of different lengths. The sides take turns, with as many threads; the
 * shortest time of each counts. That ours are the tokens of transformers without padding is asserted, and counted how
 * many texts llama.cpp writes too.
 *
 * llama.cpp takes part where FUSEMESH_LLAMA_SERVER is its server with a float32 GGUF of the same model. From its source:
 *   cmake -B build && cmake --build build --target llama-server
 *   python convert_hf_to_gguf.py DIRECTORY --outtype f32 --outfile MODEL.gguf
 *   FUSEMESH_LLAMA_SERVER="PATH/build/bin/llama-server --model PATH/MODEL.gguf" npm run bench -- serve DIRECTORY
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { against, type Figure, report } from './report.ts';
import { besideLlama } from './serving/beside-llama.ts';
import { promptsOf } from './serving/prompts.ts';
import type { Continued, Request } from './serving/request.ts';
import { spinningEnds, startSide } from './side.ts';

const threads = 2;
const rounds = 2;
const maxTokens = 64;
const together = [1, 4, 16];

const root = join(import.meta.dirname, '..');
const given = process.argv.slice(2).find((parameter) => !parameter.startsWith('--'));
const directory = given ?? join(root, 'models', 'smollm2-135m-instruct');
if (!existsSync(join(directory, 'config.json')))
  throw new Error(`there is no model in ${directory}: npm run smollm2 makes one`);

const parameters = [directory, String(threads)];
const worker = join(import.meta.dirname, 'serving', 'our-worker.ts');
const us = await startSide<Request, Continued>(process.execPath, ['--import', 'tsx', worker, ...parameters]);
if (!us) throw new Error('our side of the benchmark did not start');
const rival = await startSide<Request, Continued>('python3', [
  join(root, 'bench', 'rivals', 'transformers_generate.py'),
  ...parameters,
]);
if (!rival)
  console.error('The rival is missing: python3 with torch and transformers. These are our figures alone.');

const prompts = await promptsOf(Math.max(...together));
const right = await rival?.ask({ prompts, maxTokens, alone: true });
const tokensOf = ({ tokenIds }: Continued) => tokenIds.reduce((sum, { length }) => sum + length, 0);

/** The most tokens a second of a side, and the most memory it had. */
class Best {
  rate = 0;
  peakBytes = 0;

  add(continued: Continued): void {
    this.rate = Math.max(this.rate, tokensOf(continued) / continued.seconds);
    this.peakBytes = Math.max(this.peakBytes, continued.peakBytes);
  }
}

const figures: Figure[] = [];
let memory: Figure | undefined;
let differentWhenPadded = 0;
for (const count of together) {
  const request = { prompts: prompts.slice(0, count), maxTokens };
  const [ours, theirs] = [new Best(), new Best()];
  for (let round = 0; round < rounds; round++) {
    const continued = await us.ask(request);
    ours.add(continued);
    if (right && JSON.stringify(continued.tokenIds) !== JSON.stringify(right.tokenIds.slice(0, count)))
      throw new Error(`of ${count} requests at a time, not all get the tokens that transformers generates`);
    await spinningEnds();
    if (!rival) continue;
    const padded = await rival.ask(request);
    theirs.add(padded);
    differentWhenPadded = padded.tokenIds.filter(
      (ids, i) => JSON.stringify(ids) !== JSON.stringify(right!.tokenIds[i]),
    ).length;
    await spinningEnds();
  }
  figures.push({
    name: `${count} at a time`,
    unit: 'tokens/s',
    ...against(ours.rate, rival && theirs.rate),
  });
  memory = {
    name: 'peak memory',
    unit: 'MB',
    ...against(ours.peakBytes / 1e6, rival && theirs.peakBytes / 1e6),
  };
}
figures.push(memory!);
if (right) {
  const most = Math.max(...together);
  figures.push(
    { name: 'requests with the tokens of transformers alone', value: most, unit: `of ${most}` },
    { name: 'the same, of transformers padded', value: most - differentWhenPadded, unit: `of ${most}` },
    { name: 'new tokens of these', value: tokensOf(right), unit: 'tokens' },
  );
}
await us.close();
await rival?.close();
figures.push(...(await besideLlama({ directory, prompts, maxTokens, together, threads, rounds })));
report('serve', figures);
