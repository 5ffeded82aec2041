import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { transform } from 'esbuild';

/** A path of ours in quotes, as an import and a worker's URL have it. */
const ownTypeScript = /(['"])(\.{1,2}\/[^'"\n]+)\.ts\1/g;

/**
 * Writes a program in TypeScript down in JavaScript, file by file, so that Node.js runs it without a translator. Tests
 * and the browser's code stay out.
 *
 * @param rooms folders below `from`
 */
export async function translate(rooms: readonly string[], from: string, to: string): Promise<void> {
  for (const room of rooms) {
    for (const file of await readdir(join(from, room), { recursive: true, withFileTypes: true })) {
      const path = join(file.parentPath, file.name);
      if (file.isFile() && belongs(relative(from, path)))
        await translateFile(path, join(to, relative(from, path)));
    }
  }
}

const belongs = (path: string): boolean =>
  !path.endsWith('.test.ts') && !path.startsWith(join('page', 'view'));

async function translateFile(file: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  if (file.endsWith('.mjs')) return writeFile(to, inJavaScript(await readFile(file, 'utf8')));
  if (!file.endsWith('.ts')) return copyFile(file, to);
  const { code } = await transform(await readFile(file, 'utf8'), {
    loader: 'ts',
    format: 'esm',
    target: 'node20.20',
    charset: 'utf8',
    sourcefile: file,
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  });
  await writeFile(to.replace(/\.ts$/, '.js'), inJavaScript(code));
}

const inJavaScript = (code: string): string => code.replaceAll(ownTypeScript, '$1$2.js$1');
