import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ownVersion } from '../../process/lifecycle/own-version.ts';
import type { Described } from './buildah.ts';

const mostBytes = 330e6;

export type Check = (what: string, holds: boolean, found: string) => void;

/** Looks at what an image is made of, and what it says of itself. */
export async function contents(
  { bytes, labels, user, entrypoint }: Described,
  root: string,
  check: Check,
): Promise<void> {
  const megabytes = (count: number) => `${(count / 1e6).toFixed(0)} MB`;
  check('size', bytes <= mostBytes, `${megabytes(bytes)}, ${megabytes(mostBytes)} at most`);
  check('user', user === '1000:1000', user);
  check('entry', entrypoint.join(' ') === 'node cli/fusemesh.mjs', entrypoint.join(' '));
  const label = (name: string) => labels[`org.opencontainers.image.${name}`] ?? '';
  check('version label', label('version') === ownVersion, label('version'));
  check('revision label', /^[0-9a-f]{40}$/.test(label('revision')), label('revision'));
  for (const name of ['title', 'description', 'licenses', 'base.name']) {
    check(`${name} label`, label(name) !== '', label(name));
  }

  const packages = join(root, 'app/node_modules');
  const libraries = (await readdir(packages, { recursive: true })).filter((path) =>
    /\.(so(\.\d+)*|dylib|dll|node)$/.test(path),
  );
  const others = libraries.filter(
    (path) => /darwin|win32|android|musl(?!_)/.test(path) && !path.includes('koffi'),
  );
  check("other machines' libraries", others.length === 0, others.join(', ') || 'none');
  const translators = ['esbuild', 'tsx', 'typescript', 'vitest'];
  const there = await Promise.all(translators.map((name) => exists(join(packages, name))));
  const found = translators.filter((_, i) => there[i]);
  check('no translator and no development package', found.length === 0, found.join(', ') || 'none');
  const development = (await readdir(join(root, 'app'), { recursive: true })).filter((path) =>
    /\.(ts|map)$/.test(path),
  );
  check('no TypeScript and no source maps', development.length === 0, `${development.length} files`);

  const bill = JSON.parse(await readFile(join(root, 'app/sbom.cdx.json'), 'utf8')) as {
    bomFormat: string;
    components: { name: string }[];
  };
  const named = new Set(bill.components.map(({ name }) => name));
  const unnamed = (await packageNames(packages)).filter((name) => !named.has(name));
  check(
    'bill of materials at /app/sbom.cdx.json',
    bill.bomFormat === 'CycloneDX' && unnamed.length === 0,
    `${named.size} packages${unnamed.length > 0 ? `, without ${unnamed.join(', ')}` : ''}`,
  );
}

async function packageNames(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.'));
  const inside = await Promise.all(
    names.map(async (name) =>
      name.startsWith('@') ? (await readdir(join(folder, name))).map((part) => `${name}/${part}`) : [name],
    ),
  );
  return inside.flat();
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
