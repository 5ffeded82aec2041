const first = 250;
const longest = 10_000;

/**
 * Milliseconds until the next try: doubled each time up to ten seconds, and scattered, so that what failed together
 * does not come again together.
 *
 * @param tries so far, from 1
 * @param random 0 to 1
 */
export const backoff = (tries: number, random = Math.random()): number =>
  Math.min(longest, first * 2 ** Math.min(tries - 1, 16)) * (0.5 + 0.5 * random);
