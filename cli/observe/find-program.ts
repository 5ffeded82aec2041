import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Folders outside many people's PATH where packages put programs. */
const usualFolders = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** Every program of one of these names, on PATH first and then in the usual folders. */
export function findPrograms(names: readonly string[], path = process.env['PATH'] ?? ''): string[] {
  const folders = [...path.split(delimiter).filter(Boolean), ...usualFolders];
  const candidates = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return [...new Set(candidates)].filter(isProgram);
}

export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
