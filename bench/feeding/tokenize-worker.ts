/** Cuts texts of a file, a JSON list, into tokens and does nothing else: prints how long it takes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';

const [file, ...models] = process.argv.slice(2);
const tokenizers = await Promise.all(
  models.map((model) => Tokenizer.fromFile(join(model, 'tokenizer.json'))),
);
const texts = JSON.parse(await readFile(file, 'utf8')) as string[];
const started = performance.now();
const before = process.cpuUsage();
for (const text of texts) await Promise.all(tokenizers.map((tokenizer) => tokenizer.encode(text)));
const { user, system } = process.cpuUsage(before);
const processorSeconds = (user + system) / 1e6;
console.log(JSON.stringify({ seconds: (performance.now() - started) / 1000, processorSeconds }));
