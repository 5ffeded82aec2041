import { dirname, relative } from 'node:path';

/**
 * The deepest directory that holds all of these files. ONNX Runtime reads external data below one directory, and looks
 * at real paths: in the Hugging Face hub's cache a model's files are links to another directory.
 *
 * @param paths absolute, at least one
 */
export function commonDirectory(paths: readonly string[]): string {
  let common = dirname(paths[0]);
  while (paths.some((path) => relative(common, path).startsWith('..'))) common = dirname(common);
  return common;
}
