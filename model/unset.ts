import { z } from 'zod';

/** Whether a setting of a configuration asks for nothing: null, false, or an empty text, list or object. */
export const isUnset = (value: unknown): boolean =>
  value === null ||
  value === false ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

/** A setting that must be left out or ask for nothing. */
export const absent = (what: string) => z.unknown().refine(isUnset, `${what} is not supported`).optional();
