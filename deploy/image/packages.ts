import { cp } from 'node:fs/promises';
import { basename, relative, sep } from 'node:path';

/** Translators, types, and what is inside the page's bundle: the program in an image asks for none of them. */
const needless = ['esbuild', '@esbuild', 'tsx', 'uplot', '@types', 'undici-types', 'type-fest', '.bin'];

/** Declarations, maps of sources and TypeScript: for who develops with a package. */
const development = /(\.[cm]?ts|\.map|\.md|\.markdown)$/i;
const licence = /^(licen[cs]e|notice|copying)/i;

/** Whose libraries are wanted, as process.platform and process.arch have it. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
}

/**
 * Copies installed packages: of their libraries those of one machine, and nothing that only helps to develop.
 *
 * @param from node_modules
 */
export async function copyPackages(from: string, to: string, machine: Machine): Promise<void> {
  const isOfAnother = ofAnother(machine);
  await cp(from, to, {
    recursive: true,
    filter: (path) => {
      const inside = relative(from, path);
      if (needless.includes(inside.split(sep)[0]) || isOfAnother(inside)) return false;
      return licence.test(basename(path)) || !development.test(path);
    },
  });
}

/** Says of a path below node_modules whether it is another machine's, by what the packages call their libraries. */
function ofAnother({ platform, arch }: Machine): (path: string) => boolean {
  const libraries = new Map([
    ['onnxruntime-node', new RegExp(`^bin/napi-v\\d+/(?!${platform}($|/${arch}(/|$)))`)],
    ['tokenizers', new RegExp(`^tokenizers\\.(?!${platform}-${arch}(-gnu|-msvc)?\\.node$).*\\.node$`)],
  ]);
  return (path) => {
    const [name, ...rest] = path.split(sep);
    return libraries.get(name)?.test(rest.join('/')) ?? false;
  };
}
