/** Turns that do not count: the first take memory, choose kernels and compile. */
const warmUp = 3;
const fewest = 3;

/**
 * The median wall time of a task that is done over and over, in seconds.
 *
 * @param seconds after so much time no turn is begun
 */
export async function medianSeconds(seconds: number, turn: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < warmUp; i++) await turn();
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (times.length < fewest || performance.now() < end) {
    const began = performance.now();
    await turn();
    times.push((performance.now() - began) / 1000);
  }
  return times.sort((a, b) => a - b)[times.length >> 1];
}
