import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root, SetUpError, say } from './project.mjs';
import { succeeds } from './run.mjs';

const version = '2.14.0';

/** SHA-256 of the release archives, as in the SHA256SUMS of the release. Raise version and sums together. */
const archives = {
  'linux-x64': {
    name: 'linux-amd64',
    sha256: '3d8b74dfad39af184c765a6dd120441ed1c648d6672eddf6b304f222661251b8',
  },
  'linux-arm64': {
    name: 'linux-arm64',
    sha256: 'ce7dc5f7d97b70dabc38b13157fed28d7d06227860676143c15c62c5c297996c',
  },
  'darwin-x64': {
    name: 'darwin-amd64',
    sha256: 'c307afaa5810dea24bfe5bb0cd895ddc7c47946f359823336ef3be1a41bdddfa',
  },
  'darwin-arm64': {
    name: 'darwin-arm64',
    sha256: '36f28cf166e5ae5dd88d700a609c810b97ffad641e0c51b49cf8fae25fb3fac7',
  },
};

/** Where the release's binary is kept, inside the repository but outside git. */
export const releaseBinary = join(root, '.fusemesh', 'bin', 'nats-server');

/**
 * Downloads the official nats-server release for this platform, checks its SHA-256 and unpacks it.
 *
 * @returns {Promise<boolean>} false where there is none for this platform or it cannot be downloaded
 */
export async function installNatsRelease() {
  const archive = archives[`${process.platform}-${process.arch}`];
  if (!archive) return false;
  const folder = `nats-server-v${version}-${archive.name}`;
  const url = `https://github.com/nats-io/nats-server/releases/download/v${version}/${folder}.tar.gz`;
  say(`Downloading ${url} …`);
  const bytes = await download(url);
  if (!bytes) return false;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== archive.sha256) {
    throw new SetUpError(`${url} has SHA-256 ${sha256} instead of ${archive.sha256}: not used.`);
  }
  mkdirSync(dirname(releaseBinary), { recursive: true });
  const unpacked = mkdtempSync(join(dirname(releaseBinary), 'unpack-'));
  try {
    writeFileSync(join(unpacked, 'nats.tar.gz'), bytes);
    if (!succeeds('tar', ['-xzf', join(unpacked, 'nats.tar.gz'), '-C', unpacked])) return false;
    chmodSync(join(unpacked, folder, 'nats-server'), 0o755);
    renameSync(join(unpacked, folder, 'nats-server'), releaseBinary);
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
  return true;
}

async function download(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(120_000) });
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    say(`${url}: HTTP status ${response.status}.`);
  } catch (error) {
    say(`${url}: ${error.cause?.message ?? error.message}.`);
  }
  return undefined;
}
