import { join } from 'node:path';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { against, type Figure } from '../report.ts';
import { spinningEnds } from '../side.ts';
import { type Completed, type CompletionServer, completeTogether } from './completions.ts';
import { startLlamaServer } from './llama-server.ts';
import { startTargetServer } from './target-server.ts';

export interface Setting {
  readonly directory: string;
  readonly prompts: readonly string[];
  /** New tokens of each prompt. */
  readonly maxTokens: number;
  /** Requests at a time. */
  readonly together: readonly number[];
  readonly threads: number;
  readonly rounds: number;
}

/** Tokens a second of our target service and llama.cpp's server, both over HTTP, in turns. */
export async function besideLlama(setting: Setting): Promise<Figure[]> {
  const { directory, together, maxTokens, threads } = setting;
  const prompts = await tokenIdsOf(setting);
  const slots = Math.max(...together);
  const contextLength = Math.max(...prompts.map(({ length }) => length)) + maxTokens;
  const us = await startTargetServer(directory, { threads, slots });
  const command = process.env.FUSEMESH_LLAMA_SERVER;
  const rival = command ? await startLlamaServer(command, { threads, slots, contextLength }) : undefined;
  if (!rival)
    console.error('llama.cpp is missing: FUSEMESH_LLAMA_SERVER. These are our figures over HTTP alone.');
  try {
    return await figuresOf(setting, prompts, us, rival);
  } finally {
    await us.close();
    await rival?.close();
  }
}

async function tokenIdsOf({ directory, prompts }: Setting): Promise<number[][]> {
  const tokenizer = await Tokenizer.fromFile(join(directory, 'tokenizer.json'));
  return (await tokenizer.encodeBatch([...prompts])).map(({ ids }) => [...ids]);
}

async function figuresOf(
  { together, maxTokens, rounds }: Setting,
  prompts: readonly (readonly number[])[],
  us: CompletionServer,
  rival: CompletionServer | undefined,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  let ours: Completed | undefined;
  let theirs: Completed | undefined;
  for (const count of together) {
    let rate = 0;
    let theirRate = 0;
    for (let round = 0; round < rounds; round++) {
      ours = await completeTogether(us, prompts.slice(0, count), maxTokens);
      rate = Math.max(rate, ours.tokens / ours.seconds);
      await spinningEnds();
      if (!rival) continue;
      theirs = await completeTogether(rival, prompts.slice(0, count), maxTokens);
      theirRate = Math.max(theirRate, theirs.tokens / theirs.seconds);
      await spinningEnds();
    }
    const name = `${count} at a time over HTTP${rival ? ', beside llama.cpp' : ''}`;
    figures.push({ name, unit: 'tokens/s', ...against(rate, rival && theirRate) });
  }
  const most = Math.max(...together);
  const same = theirs?.texts.filter((text, i) => text === ours!.texts[i]).length;
  if (same !== undefined)
    figures.push({ name: 'requests with the text of llama.cpp', value: same, unit: `of ${most}` });
  return figures;
}
