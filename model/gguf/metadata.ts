import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { GgufFile } from './gguf-file.ts';
import type { GgufValue } from './header.ts';

/** A GGUF's metadata, value by value; what is missing or of another kind is refused by its key. */
export class Metadata {
  readonly #path: string;
  readonly #values: ReadonlyMap<string, GgufValue>;
  readonly #asked = new Set<string>();

  constructor({ path, metadata }: Pick<GgufFile, 'path' | 'metadata'>) {
    this.#path = path;
    this.#values = metadata;
  }

  /** A number that must be there. Those of float32 get back the digits that they were rounded from. */
  number(key: string): number {
    return this.#must(key, this.optionalNumber(key));
  }

  optionalNumber(key: string): number | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'number') throw this.refusal(key, 'is no number');
    return shortest(value);
  }

  string(key: string): string {
    return this.#must(key, this.optionalString(key));
  }

  optionalString(key: string): string | undefined {
    const value = this.#get(key);
    if (value !== undefined && typeof value !== 'string') throw this.refusal(key, 'is no text');
    return value;
  }

  optionalBoolean(key: string): boolean | undefined {
    const value = this.#get(key);
    if (value !== undefined && typeof value !== 'boolean')
      throw this.refusal(key, 'is neither true nor false');
    return value;
  }

  optionalStrings(key: string): readonly string[] | undefined {
    return this.#list(key, (value): value is string => typeof value === 'string');
  }

  optionalNumbers(key: string): readonly number[] | undefined {
    return this.#list(key, (value): value is number => typeof value === 'number');
  }

  /** Keys under a prefix that nobody has asked for: what they say would be lost. */
  unread(prefix: string): string[] {
    return [...this.#values.keys()].filter((key) => key.startsWith(prefix) && !this.#asked.has(key));
  }

  /** What to throw about a key. */
  refusal(key: string, problem: string): FuseMeshError {
    return new FuseMeshError('invalid_argument', `${this.#path}: ${key} ${problem}.`);
  }

  #list<T extends GgufValue>(
    key: string,
    isElement: (value: GgufValue) => value is T,
  ): readonly T[] | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || !value.every(isElement)) {
      throw this.refusal(key, 'is no list of what it should list');
    }
    return value as readonly T[];
  }

  #get(key: string): GgufValue | undefined {
    this.#asked.add(key);
    return this.#values.get(key);
  }

  #must<T>(key: string, value: T | undefined): T {
    if (value === undefined)
      throw this.refusal(key, 'is missing: convert the model again, or take another file');
    return value;
  }
}

/** The number of fewest digits that rounds to the same float32; a value that is no float32 stays as it is. */
function shortest(value: number): number {
  if (Number.isInteger(value) || Math.fround(value) !== value) return value;
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return Number(value.toPrecision(9));
}
