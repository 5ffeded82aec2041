import { runNamePattern, runNameRule } from '../../process/config/run-name.ts';

/** What is wrong with a value of a field, to be read behind the field's name; undefined where nothing is. */
export type FieldRule<T> = (value: T) => string | undefined;

/** Every value that the field's type has. */
export const anything: FieldRule<unknown> = () => undefined;

/** A whole number. */
export const integer =
  (least: number, most: number): FieldRule<number | bigint> =>
  (value) =>
    value >= least && value <= most ? undefined : `is ${value}; use ${least} to ${most}`;

/** A finite number; @param least is allowed itself */
export const number =
  (least: number, most = Number.POSITIVE_INFINITY): FieldRule<number> =>
  (value) => {
    if (Number.isFinite(value) && value >= least && value <= most) return undefined;
    return `is ${value}; use ${least} ${most === Number.POSITIVE_INFINITY ? 'or more' : `to ${most}`}`;
  };

/** The name of a run or of a teacher. */
export const name: FieldRule<string> = (value) => {
  if (value === '') return 'is empty';
  return runNamePattern.test(value) ? undefined : `is ${JSON.stringify(value.slice(0, 80))}; ${runNameRule}`;
};

/** A text, which may be empty. */
export const bytes =
  ({ most }: { most: number }): FieldRule<string> =>
  (value) => {
    const length = Buffer.byteLength(value);
    return length <= most ? undefined : `has ${length} bytes; at most ${most} are taken`;
  };

/** A text that is not empty. */
export const text =
  ({ mostBytes }: { mostBytes: number }): FieldRule<string> =>
  (value) =>
    value === '' ? 'is empty' : bytes({ most: mostBytes })(value);

/** A list, each of its items by a rule. */
export const list =
  <T>(item: FieldRule<T>, { most }: { most: number }): FieldRule<readonly T[]> =>
  (values) => {
    if (values.length > most) return `has ${values.length} items; at most ${most} are taken`;
    for (const [i, value] of values.entries()) {
      const problem = item(value);
      if (problem !== undefined) return `has an item that cannot be used: number ${i} ${problem}`;
    }
    return undefined;
  };
