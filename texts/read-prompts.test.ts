import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../test/support/temporary-directory.ts';
import type { Prompt } from './prompt-content.ts';
import { readFilePrompts } from './read-prompts.ts';
import type { SkippedRow, TextEntry } from './read-texts.ts';

async function prompts(rows: readonly unknown[], entry: Pick<TextEntry, 'column' | 'invalid'> = {}) {
  const file = join(await temporaryDirectory(), 'prompts.jsonl');
  await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const skipped: SkippedRow[] = [];
  const read: Prompt[] = [];
  const onSkipped = (row: SkippedRow) => skipped.push(row);
  for await (const { content } of readFilePrompts(file, entry, { onSkipped })) read.push(content);
  return { read, skipped };
}

const said = ({ conversation: { turns } }: Prompt) => turns.map(({ role, content }) => [role, content]);

it('takes a prompt, be it a text or messages, and a text', async () => {
  const { read } = await prompts([
    { prompt: 'It was the best of', completion: ' times' },
    { prompt: [{ role: 'user', content: 'Who?' }], teacher: 'orator' },
    { text: 'Call me' },
  ]);
  expect(read.map(said)).toEqual([[['', 'It was the best of']], [['user', 'Who?']], [['', 'Call me']]]);
  expect(read.map(({ teacher }) => teacher)).toEqual(['', 'orator', '']);
  expect(read.flatMap(({ conversation }) => conversation.turns).some(({ learnt }) => learnt)).toBe(false);
});

it('drops the last turn of an assistant from messages, and no other', async () => {
  const user = { role: 'user', content: 'Who?' };
  const assistant = { role: 'assistant', content: 'I.' };
  const { read } = await prompts([{ messages: [user, assistant, user, assistant] }, { messages: [user] }]);
  expect(read.map(said)).toEqual([
    [
      ['user', 'Who?'],
      ['assistant', 'I.'],
      ['user', 'Who?'],
    ],
    [['user', 'Who?']],
  ]);
});

it('keeps the tools of messages', async () => {
  const { read } = await prompts([
    { messages: [{ role: 'user', content: 'Add.' }], tools: [{ name: 'add' }] },
  ]);
  expect(read[0].conversation.tools).toBe('[{"name":"add"}]');
});

it('refuses what is no prompt, or leaves it out and tells it', async () => {
  const broken = [
    { prompt: '' },
    { messages: [{ role: 'assistant', content: 'I.' }] },
    { text: 'a', teacher: 7 },
    { other: 'a' },
  ];
  for (const row of broken) {
    await expect(prompts([row])).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('prompts.jsonl:1'),
    });
  }
  await expect(prompts([{ other: 'a' }])).rejects.toThrow('"prompt", "messages" or "text"');
  const { read, skipped } = await prompts([...broken, { text: 'fine' }], { invalid: 'skip' });
  expect(read.map(said)).toEqual([[['', 'fine']]]);
  expect(skipped.map(({ problem }) => problem)).toEqual(['empty', 'empty', 'no string', 'no such column']);
});

it('takes the column that is named', async () => {
  const { read } = await prompts([{ prompt: 'a', question: 'b' }], { column: 'question' });
  expect(read.map(said)).toEqual([[['', 'b']]]);
});
