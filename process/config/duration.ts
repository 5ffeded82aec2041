import { z } from 'zod';

const millisecondsOf = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const pattern = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;

/** A time in a run file: "500ms", "30s", "2m", "1h". It stays text, so that a run file reads as it was written. */
export const duration = z.string().regex(pattern, 'use a time such as 30s, 2m or 500ms');

/** @param text that fits {@link duration} */
export function milliseconds(text: string): number {
  const [, amount, unit] = pattern.exec(text)!;
  return Number(amount) * millisecondsOf[unit as keyof typeof millisecondsOf];
}
