/**
 * Probability that a value of Student's t distribution lies between −t and t: the finite sums for whole degrees of
 * freedom (Abramowitz and Stegun 26.7.3 and 26.7.4).
 *
 * @param t 0 or more
 * @param freedom degrees of freedom, 1 or more, whole
 */
export function studentWithin(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const cosine = Math.cos(angle);
  const isOdd = freedom % 2 === 1;
  let term = isOdd ? cosine : 1;
  let sum = 0;
  for (let power = isOdd ? 1 : 0; power <= freedom - 2; power += 2) {
    sum += term;
    term *= ((power + 1) / (power + 2)) * cosine ** 2;
  }
  return isOdd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
}

/**
 * The t such that the given share of the distribution lies between −t and t.
 *
 * @param share between 0 and 1: 0.95 for the intervals of this report
 */
export function studentQuantile(share: number, freedom: number): number {
  let [low, high] = [0, 1];
  while (studentWithin(high, freedom) < share) high *= 2;
  // Further halvings would not change a float64.
  for (let halving = 0; halving < 64; halving++) {
    const middle = (low + high) / 2;
    if (studentWithin(middle, freedom) < share) low = middle;
    else high = middle;
  }
  return high;
}
