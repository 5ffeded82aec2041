import { expect, test } from 'vitest';
import { sharedRuns, withoutSharedRuns } from './overlap.ts';

const known = 'This command is unaware of workspaces, whatever else the page may say about them.';
const own = 'The lighthouse keeper wrote down every ship that passed by in the night, and slept by day.';

test('finds a run of sixty characters in common, wherever lines break', () => {
  const trained = `Before. ${known.replace('unaware of', 'unaware\n  of')} After.`;
  expect(sharedRuns(`${own}\n\n${known}`, trained).size).toBe(known.length - 60 + 1 + 2);
  expect([...sharedRuns(`${own}\n\n${known.slice(0, 57)}`, trained)]).toEqual([]);
});

test('leaves out the paragraphs that stand in the other text, and no others', () => {
  const trained = `Something. ${known} Else.`;
  expect(withoutSharedRuns(`${own}\n\n${known}\n\n\n${own}\n`, trained)).toBe(`${own}\n\n${own}\n`);
});

test('leaves out what makes such a run only when what stood in between is gone', () => {
  const [first, second] = [known.slice(0, 26), known.slice(27)];
  const trained = `${known}\n\n${own}`;
  expect(withoutSharedRuns(`${first}\n\n${own}\n\n${second}`, trained)).toBe(`${first}\n`);
});
