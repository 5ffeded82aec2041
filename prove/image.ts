/**
 * The image of deploy/Dockerfile is built without a registry, and every process runs from it: as an unprivileged user, on a file
 * system that nobody writes to.
 *
 * Needs root on a Debian with `apt-get install buildah debootstrap`, Debian's archive and npm's registry, and 4 GB of disk,
 * which it gives back. Takes some ten minutes.
 *
 * --keep FILE  writes the image to FILE, for `docker load`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { baseImages } from './image/base-images.ts';
import { Buildah } from './image/buildah.ts';
import { Container } from './image/container.ts';
import { contents } from './image/contents.ts';
import { requireRoot } from './image/requirements.ts';
import { runEveryProcess } from './image/run-every-process.ts';

const { values } = parseArgs({ options: { keep: { type: 'string' } } });
await requireRoot();
const directory = await mkdtemp(join(tmpdir(), 'fusemesh-prove-image-'));
const buildah = new Buildah(directory);
const problems: string[] = [];
const check = (what: string, holds: boolean, found: string): void => {
  console.log(`${holds ? 'ok     ' : 'PROBLEM'}  ${what}: ${found}`);
  if (!holds) problems.push(what);
};
try {
  const bases = await baseImages(buildah, directory);
  console.log('Building deploy/Dockerfile …');
  const began = performance.now();
  const image = await buildah.build(bases);
  console.log(`Built in ${((performance.now() - began) / 1000).toFixed(0)} s.`);
  const container = await Container.of(buildah, image);
  await contents(await buildah.described(image), container.root, check);
  await runEveryProcess(container, directory, check);
  if (values.keep !== undefined)
    await buildah.run(['push', image, `docker-archive:${values.keep}:fusemesh:latest`]);
} finally {
  await buildah.remove();
  await rm(directory, { recursive: true, force: true });
}
if (problems.length > 0) {
  console.log(`${problems.length} problems: ${problems.join('; ')}`);
  process.exitCode = 1;
}
