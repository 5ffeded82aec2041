import { expect } from 'vitest';
import type { Finished } from './command.ts';

/** That a command failed with one line for a person, and nothing else. */
export function expectOneLine(
  { code, stderr }: Finished,
  expected: { readonly code: number; readonly line: RegExp },
): void {
  expect(stderr).toMatch(/^fusemesh: [^\n]+\n$/);
  expect(stderr).toMatch(expected.line);
  expect(code).toBe(expected.code);
}
