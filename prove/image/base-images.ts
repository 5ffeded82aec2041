import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Bases, Buildah } from './buildah.ts';

const run = promisify(execFile);

/** What Debian's own slim image leaves out, and what apt can download again. */
const leftOut = ['doc', 'man', 'info', 'locale', 'lintian'].map((folder) => `usr/share/${folder}`);
const downloaded = ['var/cache/apt', 'var/lib/apt/lists', 'var/log'];

/**
 * Stands in for the images of the registry: Debian by debootstrap, and Node.js and npm in it. Node.js is the version that the
 * Dockerfile asks for, from npm's registry.
 */
export async function baseImages(buildah: Buildah, directory: string): Promise<Bases> {
  console.log('Debian, by debootstrap …');
  const debian = await buildah.open('scratch');
  await run('debootstrap', ['--variant=minbase', 'bookworm', debian.root]);
  for (const folder of leftOut) await rm(join(debian.root, folder), { recursive: true });
  for (const folder of downloaded) {
    await rm(join(debian.root, folder), { recursive: true });
    await mkdir(join(debian.root, folder));
  }
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  await buildah.run(['config', '--env', `PATH=${path}`, debian.name]);
  const DEBIAN = await buildah.commit(debian.name, 'localhost/debian');

  const version = await askedNode();
  console.log(`Node.js ${version} …`);
  const node = await buildah.open(DEBIAN);
  const local = join(node.root, 'usr/local');
  await cp(await nodeOfRegistry(version, directory), join(local, 'bin/node'));
  await mkdir(join(local, 'lib/node_modules'), { recursive: true });
  await cp(await ownNpm(), join(local, 'lib/node_modules/npm'), { recursive: true });
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin/npm'));
  for (const setting of await networkOf(node.root)) {
    await buildah.run(['config', '--env', setting, node.name]);
  }
  return { DEBIAN, NODE: await buildah.commit(node.name, 'localhost/node') };
}

async function askedNode(): Promise<string> {
  const dockerfile = await readFile(resolve(import.meta.dirname, '../../deploy/Dockerfile'), 'utf8');
  return /^ARG NODE=node:(\d+\.\d+\.\d+)-/m.exec(dockerfile)![1];
}

async function nodeOfRegistry(version: string, directory: string): Promise<string> {
  const folder = await mkdtemp(join(directory, 'node-'));
  const name = `node-linux-${process.arch}@${version}`;
  const { stdout } = await run('npm', ['pack', name, '--silent'], { cwd: folder });
  await run('tar', ['-xzf', stdout.trim(), 'package/bin/node'], { cwd: folder });
  return join(folder, 'package/bin/node');
}

/** npm as it is on this machine. */
async function ownNpm(): Promise<string> {
  const { stdout } = await run('sh', ['-c', 'readlink -f "$(command -v npm)"']);
  return dirname(dirname(stdout.trim()));
}

/** How this machine reaches the registry, for the stages that install packages; what runs is made of none of these. */
async function networkOf(root: string): Promise<string[]> {
  const { stdout } = await run('npm', ['config', 'get', 'registry']);
  const settings = [`npm_config_registry=${stdout.trim()}`];
  const certificates = process.env['NODE_EXTRA_CA_CERTS'];
  if (certificates !== undefined) {
    const inside = 'usr/local/share/extra-ca.pem';
    await cp(certificates, join(root, inside), { dereference: true });
    settings.push(`NODE_EXTRA_CA_CERTS=/${inside}`);
  }
  return settings;
}
