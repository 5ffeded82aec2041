import { join } from 'node:path';
import type { RunConfig } from '../../mesh/config/schema.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { fetchTokenizer } from './fetch-tokenizer.ts';

/** The tokenizers of a run: the target's from its directory, each teacher's from the teacher. */
export function runTokenizers(config: RunConfig, signal: AbortSignal): Promise<Tokenizer[]> {
  return Promise.all([
    Tokenizer.fromFile(join(config.target.model, 'tokenizer.json')),
    ...config.teachers.map(({ address }) => fetchTokenizer(address, config.security, signal)),
  ]);
}
