import { InvalidArgumentError } from 'commander';

/** The value of an option that takes a number. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('use a number');
  return value;
}

/** The value of an option that counts something. */
export function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('use a whole number from 1');
  return value;
}

/** The value of an option that is a TCP port; 0 stands for any. */
export function port(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < 0 || value > 65535) {
    throw new InvalidArgumentError('use a port from 0 to 65535');
  }
  return value;
}

/** The value of an option that takes numbers of dead letters, one after another. */
export function letterNumbers(text: string, before: readonly number[] = []): readonly number[] {
  return [...before, count(text)];
}
