import type { TrainingBatch } from '../../engine/training-batch.ts';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { shuffle, uniformNumbers } from '../../numbers/random.ts';
import { type Domain, domains } from './layout.ts';
import { cutIntoPassages } from './passages.ts';

/** A domain's tokens, one after another, and the special tokens that begin a text. */
export interface TokenStream {
  readonly ids: Int32Array;
  readonly prefix: Int32Array;
}

/** The tokens of a long text. */
export async function tokenStream(text: string, tokenizer: Tokenizer): Promise<TokenStream> {
  const prefix = (await tokenizer.encode('')).ids;
  const ids: number[] = [];
  for (const { ids: passage } of await tokenizer.encodeBatch(cutIntoPassages(text))) {
    for (const id of passage.subarray(prefix.length)) ids.push(id);
  }
  return { ids: Int32Array.from(ids), prefix };
}

/**
 * Endless batches for training on the text alone. Each row is a stretch of one domain, drawn by the mix; no stretch
 * comes a second time before all of its domain have come once.
 */
export function* drawBatches(
  streams: Readonly<Record<Domain, TokenStream>>,
  mix: Readonly<Record<Domain, number>>,
  seed: number,
  { rows, length }: { readonly rows: number; readonly length: number },
): Generator<TrainingBatch, never> {
  const uniform = uniformNumbers(seed);
  const waiting: Record<Domain, number[]> = { speeches: [], fiction: [], manuals: [] };
  const batch = {
    lengths: Array<number>(rows).fill(length),
    candidates: 1,
    inputIds: new Int32Array(rows * length),
    labels: new Int32Array(rows * length),
    fusedIds: new Int32Array(rows * length),
    fusedProbabilities: new Float32Array(rows * length),
    fusedTail: new Float32Array(rows * length),
  };
  for (;;) {
    for (let row = 0; row < rows; row++) {
      const domain = drawDomain(mix, uniform());
      const { ids, prefix } = streams[domain];
      const stretch = length - prefix.length;
      if (waiting[domain].length === 0) {
        // The token after a stretch is needed as its last label.
        const stretches = Math.floor((ids.length - 1) / stretch);
        waiting[domain] = Array.from({ length: stretches }, (_, i) => i * stretch);
        shuffle(waiting[domain], uniform);
      }
      const begin = waiting[domain].pop()!;
      const input = batch.inputIds.subarray(row * length, (row + 1) * length);
      input.set(prefix);
      input.set(ids.subarray(begin, begin + stretch), prefix.length);
      const labels = batch.labels.subarray(row * length, (row + 1) * length);
      labels.set(input.subarray(1));
      labels[length - 1] = ids[begin + stretch];
    }
    yield batch;
  }
}

/** @param share between 0 and 1 */
function drawDomain(mix: Readonly<Record<Domain, number>>, share: number): Domain {
  let sum = 0;
  for (const domain of domains) {
    sum += mix[domain];
    if (share < sum) return domain;
  }
  return domains[domains.length - 1];
}
