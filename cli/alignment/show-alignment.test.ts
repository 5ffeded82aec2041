import { join } from 'node:path';
import { expect, test } from 'vitest';
import { showAlignment } from './show-alignment.ts';

const zoo = join(import.meta.dirname, '..', '..', 'examples', 'zoo');
const text = 'Call me Ishmael, said the captain.';

async function shown(question: { source: string; after: string | undefined }): Promise<string[]> {
  const lines: string[] = [];
  const target = join(zoo, 'target');
  for await (const line of showAlignment({
    content: text,
    target,
    width: 100,
    vocabulary: 'minED',
    ...question,
  }))
    lines.push(line);
  return lines;
}

test('shows both tokenizations, and what share of positions and vocabulary meet', async () => {
  const lines = await shown({ source: join(zoo, 'novelist'), after: undefined });
  expect(lines[2].replaceAll(/[│ ]/g, '')).toBe(text.replaceAll(' ', '·'));
  expect(lines[4].replaceAll(/[│ ]/g, '')).toBe(text.replaceAll(' ', '·'));
  expect(lines.find((line) => line.startsWith('Positions:'))).toMatch(
    /\d+\.\d % of the target's \d+ are aligned/,
  );
  expect(lines.at(-1)).toMatch(/^Vocabulary: of the source's 3000 tokens the target has \d+\.\d %/);
});

test('shows what a source says at one position, and what the target learns of it', async () => {
  const lines = await shown({ source: join(zoo, 'novelist'), after: 'Call me Ishmael,' });
  const says = lines.findIndex((line) => line.startsWith("The target's next token is"));
  expect(lines[says]).toContain('The source says:');
  const learns = lines.findIndex((line) => line.startsWith('The target learns'));
  expect(learns - says).toBe(11);
  expect(lines.at(-1)).toMatch(/is dropped, .* lies outside of the 10 candidates\.$/);
});

test('shows how both templates read a conversation, and where what is said meets', async () => {
  const turns = [
    { role: 'user', content: 'Who?', learnt: false, extras: '' },
    { role: 'assistant', content: 'Ishmael.', learnt: true, extras: '' },
  ];
  const lines: string[] = [];
  const models = { source: join(zoo, 'novelist'), target: join(zoo, 'target') };
  for await (const line of showAlignment({
    content: { turns, tools: '' },
    ...models,
    after: undefined,
    width: 100,
    vocabulary: 'exact',
  }))
    lines.push(line);
  expect(lines.slice(0, 4)).toEqual(['The source reads:', '  User: Who?', '  ', '  Assistant: Ishmael.</s>']);
  expect(lines).toContain('The target reads:');
  const said = lines.find((line) => line.startsWith('⏎'));
  expect(said?.replaceAll(/[│ ]/g, '')).toBe('⏎Who?⏎⏎Ishmael.⏎⏎');
});

test('refuses a place where no token ends', async () => {
  await expect(shown({ source: join(zoo, 'novelist'), after: text })).rejects.toThrow(
    'No token of the target ends',
  );
});
