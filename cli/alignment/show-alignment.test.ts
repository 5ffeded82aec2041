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

test('refuses a place where no token ends', async () => {
  await expect(shown({ source: join(zoo, 'novelist'), after: text })).rejects.toThrow(
    'No token of the target ends',
  );
});
