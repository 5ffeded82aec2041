import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLog } from '../../../process/log/log.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { zooEncoder } from '../../../test/support/zoo-encoder.ts';
import { preparePrompts } from './prepare-prompts.ts';

const log = createLog('test', { level: 'silent' });
const never = new AbortController().signal;

async function prepared(
  rows: readonly object[],
  { invalid, maxNewTokens = 16 }: { invalid?: 'skip'; maxNewTokens?: number } = {},
  directory?: string,
) {
  const folder = directory ?? (await temporaryDirectory());
  const path = join(folder, 'prompts.jsonl');
  if (directory === undefined) await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const reads: number[] = [];
  const prompts = await preparePrompts(
    {
      contextLength: 40,
      onPolicy: {
        prompts: [{ domain: 'asked', path, invalid }],
        ...{
          maxNewTokens,
          temperature: 1,
          topP: 1,
          perPrompt: 1,
          share: 1,
          loss: 'reverseKL',
          beta: 0.5,
          staleness: 0,
        },
      },
    },
    {
      encoders: [await zooEncoder('target'), await zooEncoder('engineer')],
      contextLength: 40,
      names: ['target', 'engineer'],
      maxNewTokens,
      judges: ['engineer'],
      signal: never,
    },
    { directory: join(folder, 'kept'), log, onRead: (read) => reads.push(read) },
  );
  return { prompts, reads, folder };
}

const long = { text: 'the king and the sea '.repeat(12) };

it('keeps prompts in the order of their rows, and reads them once', async () => {
  const rows = [
    ...Array.from({ length: 20 }, (_, i) => ({ text: `Prompt ${i}` })),
    { messages: [{ role: 'user', content: 'Who?' }], teacher: 'engineer' },
  ];
  const { prompts, reads, folder } = await prepared(rows);
  expect(prompts.count).toBe(21);
  expect(reads.length).toBeGreaterThan(0);
  for (let i = 0; i < 20; i++) expect(prompts.at(i).turns[0].content).toBe(`Prompt ${i}`);
  expect(prompts.at(20)).toMatchObject({
    domain: 'asked',
    turns: [{ role: 'user', content: 'Who?', learnt: false }],
    rollout: { teacher: 'engineer' },
  });
  const again = await prepared(rows, {}, folder);
  expect(again.reads).toEqual([]);
  expect(again.prompts.manifest.sha256).toEqual(prompts.manifest.sha256);
});

it('refuses a prompt that leaves a completion no room, or leaves it out', async () => {
  await expect(prepared([{ text: 'fine' }, long])).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringMatching(/prompts\.jsonl:2 is too long .*maxNewTokens 16 .*contextLength 40/),
  });
  const { prompts } = await prepared([long, { text: 'fine' }], { invalid: 'skip' });
  expect([prompts.count, prompts.at(0).turns[0].content]).toEqual([1, 'fine']);
  await expect(prepared([{ text: 'fine' }], { maxNewTokens: 40 })).rejects.toThrow('is too long');
});

it('refuses a teacher that the run does not have, whatever is skipped', async () => {
  await expect(prepared([{ text: 'fine', teacher: 'sage' }], { invalid: 'skip' })).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringMatching(/prompts\.jsonl:1 names the teacher "sage".*engineer/),
  });
});

it('refuses prompts that are none', async () => {
  await expect(prepared([long], { invalid: 'skip' })).rejects.toThrow('There is no prompt');
});
