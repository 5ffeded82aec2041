import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { BuildOptions } from 'esbuild';
import { FuseMeshError } from '../errors/fusemesh-error.ts';

/** Minified script and style of a document; they load nothing else. */
export interface Bundle {
  readonly script: string;
  readonly style: string;
}

/** The live page, or the report of a run. */
export type BundleName = 'live' | 'report';

const bundles = new Map<BundleName, Promise<Bundle>>();

/** Where an image has the bundles; a checkout has no such folder. */
const bundled = new URL('bundled/', import.meta.url);

/**
 * Bundles the browser's TypeScript when it is first asked for, and keeps the bundle until the process ends. It takes
 * some tenths of a second, in a process of its own. In an image the bundle is there already.
 *
 * @throws FuseMeshError internal when the code cannot be bundled, as after an incomplete installation
 */
export function bundle(name: BundleName): Promise<Bundle> {
  const known = bundles.get(name);
  if (known) return known;
  // One after the other: each ends the compiler's process, which all share.
  const made = Promise.allSettled(bundles.values()).then(async () => (await read(name)) ?? makeBundle(name));
  bundles.set(name, made);
  return made;
}

async function read(name: BundleName): Promise<Bundle | undefined> {
  try {
    const [script, style] = await Promise.all(
      ['js', 'css'].map((ending) => readFile(new URL(`${name}.${ending}`, bundled), 'utf8')),
    );
    return { script, style };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

const options = {
  absWorkingDir: fileURLToPath(new URL('view', import.meta.url)),
  outdir: 'bundle',
  bundle: true,
  minify: true,
  write: false,
  format: 'iife',
  target: 'es2022',
  charset: 'utf8',
  banner: {
    js: '/*! With uPlot (https://github.com/leeoniya/uPlot), © Leon Sorokin, MIT licence, and protobuf-es (https://github.com/bufbuild/protobuf-es), Apache-2.0. */',
  },
  logLevel: 'silent',
} as const satisfies BuildOptions;

/**
 * Bundles the code as it is now.
 *
 * @throws FuseMeshError internal when that cannot be done
 */
export async function makeBundle(name: BundleName): Promise<Bundle> {
  // An image has no esbuild.
  const { build, stop } = await import('esbuild');
  try {
    const entryPoints = { page: `./${name}.ts`, style: './style/page.css' };
    const { outputFiles } = await build({ ...options, entryPoints });
    const text = (ending: string) => outputFiles.find(({ path }) => path.endsWith(ending))!.text;
    return { script: text('page.js'), style: text('style.css') };
  } catch (cause) {
    const [reason] = (cause as Error).message.split('\n');
    throw new FuseMeshError('internal', `The page cannot be bundled: ${reason}; install again with npm ci`, {
      cause,
    });
  } finally {
    await stop();
  }
}
