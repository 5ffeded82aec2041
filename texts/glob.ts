import { sep } from 'node:path';

/** Whether a path has signs of a pattern: a file may be named so all the same. */
export const isGlob = (path: string): boolean => /[*?[{]/.test(path);

/** The folder that all matches of a pattern lie in: what stands before its first sign. */
export function folderOfGlob(pattern: string): string {
  const parts = pattern.split(sep);
  return parts.slice(0, parts.findIndex(isGlob)).join(sep) || sep;
}

/**
 * A pattern for paths as shells have it: `*` and `?` within a name, `**` for any folders, `[a-z]`, `[!a-z]` and
 * `{train,test}`.
 */
export function globExpression(pattern: string): RegExp {
  let expression = '';
  let choices = 0;
  for (let i = 0; i < pattern.length; i++) {
    const rest = pattern.slice(i);
    const set = /^\[!?[^\]]+\]/.exec(rest)?.[0];
    if (rest.startsWith('**/')) {
      expression += '(?:[^/]+/)*';
      i += 2;
    } else if (rest.startsWith('**')) {
      expression += '.*';
      i += 1;
    } else if (set !== undefined) {
      expression += set.replace('[!', '[^').replaceAll('\\', '\\\\');
      i += set.length - 1;
    } else if (rest[0] === '{' && rest.includes('}')) {
      expression += '(?:';
      choices++;
    } else if (rest[0] === '}' && choices > 0) {
      expression += ')';
      choices--;
    } else if (rest[0] === ',' && choices > 0) {
      expression += '|';
    } else {
      expression += ordinary(rest[0]);
    }
  }
  return new RegExp(`^${expression}$`);
}

function ordinary(sign: string): string {
  if (sign === '*') return '[^/]*';
  if (sign === '?') return '[^/]';
  return sign.replace(/[.+^${}()|[\]\\/]/, '\\$&');
}
