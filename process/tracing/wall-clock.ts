/** How far performance.now() and the wall clock may drift apart, in milliseconds. */
const mostDrift = 5;

/**
 * Turns times of performance.now() into milliseconds since 1970. Differences stay as exact as they are, until
 * the two clocks have drifted apart, as they do in processes that run for days: spans of several processes
 * must still fit together.
 */
export function wallClock(now: () => number = Date.now): (time: number) => number {
  let offset = performance.timeOrigin;
  return (time) => {
    const offsetNow = now() - performance.now();
    if (Math.abs(offsetNow - offset) > mostDrift) offset = offsetNow;
    return offset + time;
  };
}
