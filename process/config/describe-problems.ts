import type { z } from 'zod';
import { runConfigSchema } from './schema.ts';

/** What is wrong with a run file in one line: each problem names its key, a misspelt one the nearest known. */
export function describeProblems(error: z.ZodError): string {
  return error.issues.map(describe).join('; ');
}

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_union' && issue.message === 'Invalid input') {
    // Of several forms that a value may have, that which it has from outside.
    const meant = issue.errors.find((problems) => problems.every(isInside));
    if (meant)
      return meant.map((inner) => describe({ ...inner, path: [...issue.path, ...inner.path] })).join('; ');
  }
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys
      .map((key) => {
        const near = nearest(key, knownKeys(path));
        const hint = near === undefined ? '' : `; did you mean "${near}"?`;
        return `unknown key "${[...path, key].join('.')}"${hint}`;
      })
      .join('; ');
  }
  const missing = issue.code === 'invalid_type' && issue.message.includes('received undefined');
  return `${path.join('.')}: ${missing ? 'is missing' : issue.message}`;
}

const isInside = ({ path, code }: z.core.$ZodIssue): boolean =>
  path.length > 0 || code === 'unrecognized_keys';

/** The keys that the schema has for the object at a path. */
function knownKeys(path: readonly string[]): readonly string[] {
  let schemas = formsOf(runConfigSchema);
  for (const key of path) {
    const inside = schemas.map((schema) =>
      isArray(schema) ? schema._zod.def.element : isObject(schema) ? schema._zod.def.shape[key] : undefined,
    );
    schemas = inside.flatMap(formsOf);
  }
  return schemas.filter(isObject).flatMap((schema) => Object.keys(schema._zod.def.shape));
}

type AnyObject = z.core.$ZodObject;
type AnyArray = z.core.$ZodArray;

const isObject = (schema: z.core.$ZodType | undefined): schema is AnyObject =>
  schema?._zod.def.type === 'object';
const isArray = (schema: z.core.$ZodType | undefined): schema is AnyArray =>
  schema?._zod.def.type === 'array';
const isUnion = (schema: z.core.$ZodType): schema is z.core.$ZodUnion => schema._zod.def.type === 'union';

/** What stands inside of optional() and default(), in each form that a union allows. */
function formsOf(schema: z.core.$ZodType | undefined): z.core.$ZodType[] {
  let inner = schema;
  while (inner && 'innerType' in inner._zod.def) inner = inner._zod.def.innerType as z.core.$ZodType;
  if (inner === undefined) return [];
  return isUnion(inner) ? inner._zod.def.options.flatMap(formsOf) : [inner];
}

/** The known word of least edit distance, if it is near enough to be what was meant. */
function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.ceil(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Levenshtein's distance, row by row. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      row.push(Math.min(row[j - 1] + 1, previous[j] + 1, previous[j - 1] + change));
    }
    previous = row;
  }
  return previous[b.length];
}
