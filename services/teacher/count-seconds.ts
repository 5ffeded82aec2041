const every = 1_000;

/**
 * Counts wall time while it goes by rather than at its end, so that whoever waits for long shows it.
 *
 * @param count is given the seconds since it was called last
 * @returns stops counting, with what is left
 */
export function countSeconds(count: (seconds: number) => void): () => void {
  let counted = performance.now();
  const look = () => {
    const now = performance.now();
    count((now - counted) / 1000);
    counted = now;
  };
  const timer = setInterval(look, every);
  return () => {
    clearInterval(timer);
    look();
  };
}
