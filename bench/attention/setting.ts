import { fastestParts, type SizesOfParts } from '../../model/families/attention-scope.ts';
import { createRandom } from '../../test/support/random.ts';

export const threads = 2;

/** What one process measures. */
export interface Setting {
  readonly work: 'scoring' | 'training of a block';
  readonly form: 'parts' | 'whole';
  /** Of the model. */
  readonly directory: string;
  readonly vocabularySize: number;
  readonly rows: number;
  readonly length: number;
}

export interface Measured {
  readonly seconds: number;
  /** Largest resident set of the process so far. */
  readonly peakBytes: number;
}

/** Work that can be measured again and again. */
export interface Work {
  run(): Promise<unknown>;
  close(): Promise<unknown>;
}

export const partsOf = ({ form }: Setting): SizesOfParts | undefined =>
  form === 'parts' ? fastestParts : undefined;

/** Random texts, all of one length. */
export function textsOf({ rows, length, vocabularySize }: Setting): Int32Array<ArrayBuffer>[] {
  const random = createRandom(5);
  const id = () => Math.floor(random() * vocabularySize);
  return Array.from({ length: rows }, () => Int32Array.from({ length }, id));
}
