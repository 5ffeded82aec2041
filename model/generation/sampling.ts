import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** How the next token is chosen. */
export interface Sampling {
  /** Divides the logits; 0 always takes the most probable token (greedy search). */
  readonly temperature: number;
  /** Nucleus sampling (Holtzman et al. 2020): the smallest set of tokens with this much mass; 1 takes all. */
  readonly topP: number;
  /** Seeds the random choices. */
  readonly seed: number;
}

/**
 * Chooses a token.
 *
 * @param logits [vocabulary]
 * @param uniform gives numbers between 0 and 1
 * @returns its id; the lowest of equally probable ones
 * @throws FuseMeshError data_loss where the logits are no numbers
 */
export function chooseToken(
  logits: Float32Array,
  { temperature, topP }: Omit<Sampling, 'seed'>,
  uniform: () => number,
): number {
  const best = indexOfLargest(logits);
  if (Number.isNaN(logits[best])) throw notNumbers();
  if (temperature === 0) return best;

  const probabilities = new Float64Array(logits.length);
  let sum = 0;
  for (let id = 0; id < logits.length; id++) {
    probabilities[id] = Math.exp((logits[id] - logits[best]) / temperature);
    sum += probabilities[id];
  }
  if (Number.isNaN(sum)) throw notNumbers();
  const ids = topP < 1 ? nucleus(probabilities, topP * sum) : undefined;
  const candidates = ids ?? probabilities.keys();
  const mass = ids ? ids.reduce((total, id) => total + probabilities[id], 0) : sum;

  let left = uniform() * mass;
  let last = best;
  for (const id of candidates) {
    left -= probabilities[id];
    last = id;
    if (left < 0) break;
  }
  return last;
}

/** Ids by falling probability until they hold `mass`, at least one. */
function nucleus(probabilities: Float64Array, mass: number): number[] {
  const total = probabilities.reduce((a, b) => a + b, 0);
  // All tokens below this together hold less mass than may be left out, so only the others are sorted.
  const least = (total - mass) / probabilities.length;
  const ids: number[] = [];
  for (let id = 0; id < probabilities.length; id++) if (probabilities[id] >= least) ids.push(id);
  ids.sort((a, b) => probabilities[b] - probabilities[a] || a - b);

  let held = 0;
  const end = ids.findIndex((id) => {
    held += probabilities[id];
    return held >= mass;
  });
  return end === -1 ? ids : ids.slice(0, end + 1);
}

function indexOfLargest(values: Float32Array): number {
  let largest = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[largest]) largest = i;
  return largest;
}

const notNumbers = () =>
  new FuseMeshError(
    'data_loss',
    'The model gives logits that are no numbers: its weights, or what it computes from them, have NaN',
  );
