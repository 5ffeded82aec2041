import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, SetUpError, say } from './project.mjs';
import { succeeds } from './run.mjs';

const lock = join(root, 'package-lock.json');
const stamp = join(root, 'node_modules', '.fusemesh-lock-sha256');
/** What npm itself last installed. */
const installed = join(root, 'node_modules', '.package-lock.json');

/** Installs what package-lock.json asks for, unless it is there already. */
export function installDependencies() {
  const wanted = createHash('sha256').update(readFileSync(lock)).digest('hex');
  if (readIfThere(stamp) === wanted) return;
  if (!agrees()) {
    say('Installing dependencies (npm ci) …');
    if (!succeeds('npm', ['ci', '--no-fund', '--no-audit'])) {
      throw new SetUpError('npm ci failed: see its message above, then run the command again.');
    }
  }
  writeFileSync(stamp, wanted);
}

/** True where npm has installed the locked version of every package that is not for some platforms only. */
function agrees() {
  const text = readIfThere(installed);
  if (text === undefined) return false;
  const has = JSON.parse(text).packages;
  return Object.entries(JSON.parse(readFileSync(lock, 'utf8')).packages).every(
    ([path, { version, optional }]) => path === '' || optional || has[path]?.version === version,
  );
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
