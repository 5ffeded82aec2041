import { execFileSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { translate } from './translate.ts';

/** A program with an enum, a type, a worker and a bootstrap, as ours has them. */
const files: Readonly<Record<string, string>> = {
  'cli/start.mjs': `const program = './main.ts';\nif (program.endsWith('.ts')) throw new Error('TypeScript');\nawait import(program);\n`,
  'cli/main.ts': `import { Colour, type Named } from '../model/colour.ts';
import project from '../package.json' with { type: 'json' };
import { Worker } from 'node:worker_threads';
const named: Named = { name: Colour[Colour.green] };
const worker = new Worker(new URL('../model/colour-worker.ts', import.meta.url));
worker.on('message', (said: string) => console.log(project.version, named.name, said));
`,
  'cli/main.test.ts': 'throw new Error();',
  'model/colour.ts': `export enum Colour { red, green }\nexport interface Named { readonly name: string }\n`,
  'model/colour-worker.ts': `import { parentPort } from 'node:worker_threads';\nparentPort!.postMessage('worked' satisfies string);\n`,
  'page/view/live.ts': 'document.title;',
  'page/style.css': 'body {}',
};

it('writes a program down that Node.js runs by itself', async () => {
  const [from, to] = [await temporaryDirectory(), await temporaryDirectory()];
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(from, path, '..'), { recursive: true });
    await writeFile(join(from, path), content);
  }
  await translate(['cli', 'model', 'page'], from, to);
  const written = (await readdir(to, { recursive: true, withFileTypes: true })).filter((file) =>
    file.isFile(),
  );
  expect(written.map(({ name }) => name).sort()).toEqual([
    'colour-worker.js',
    'colour.js',
    'main.js',
    'start.mjs',
    'style.css',
  ]);
  await writeFile(join(to, 'package.json'), '{ "type": "module", "version": "1.2.3" }');
  const { NODE_OPTIONS: _, ...env } = process.env;
  const said = execFileSync(process.execPath, [join(to, 'cli/start.mjs')], { encoding: 'utf8', env });
  expect(said).toBe('1.2.3 green worked\n');
});
