import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { downloadByOwnScript } from './own-script.ts';

/** A package with ONNX Runtime in it and a script. */
async function packageWith(code: string): Promise<{ script: string; folder: string }> {
  const folder = await temporaryDirectory();
  await writeFile(join(folder, 'libonnxruntime.so.1'), 'runtime');
  const script = join(folder, 'install.cjs');
  await writeFile(
    script,
    `const { writeFileSync } = require('node:fs');\nprocess.chdir(__dirname);\n${code}`,
  );
  return { script, folder };
}

it('takes what the script brings out of the package, and calls it without the environment of npm', async () => {
  vi.stubEnv('npm_config_local_prefix', '/project');
  vi.stubEnv('ONNXRUNTIME_NODE_INSTALL', 'skip');
  onTestFinished(() => void vi.unstubAllEnvs());
  const { script, folder } = await packageWith(`
    const told = Object.keys(process.env).filter((name) => /npm_|ONNXRUNTIME/i.test(name));
    writeFileSync('libonnxruntime_providers_cuda.so', JSON.stringify([...told, ...process.argv.slice(2)]));
    for (const name of ['shared', 'tensorrt']) writeFileSync('libonnxruntime_providers_' + name + '.so', name);`);
  const contents = await downloadByOwnScript(script, folder);
  expect([...contents].map(([name, bytes]) => [name, String(bytes)])).toEqual([
    ['libonnxruntime.so.1', 'runtime'],
    ['libonnxruntime_providers_shared.so', 'shared'],
    ['libonnxruntime_providers_cuda.so', '["--onnxruntime-node-install-cuda=v12"]'],
  ]);
  expect((await readdir(folder)).sort()).toEqual(['install.cjs', 'libonnxruntime.so.1']);
});

it('says in one line why the script has failed, or that it has brought nothing', async () => {
  const failing = await packageWith(`Promise.reject(new Error('getaddrinfo ENOTFOUND api.nuget.org'));`);
  await expect(downloadByOwnScript(failing.script, failing.folder)).rejects.toThrow(
    /from NuGet \(getaddrinfo ENOTFOUND api\.nuget\.org\): check the network/,
  );
  const idle = await packageWith('');
  await expect(downloadByOwnScript(idle.script, idle.folder)).rejects.toThrow(
    /not brought .*libonnxruntime_providers_shared\.so: check/,
  );
});

it('asks the script of this version for what it has', async () => {
  const { resolve } = createRequire(import.meta.url);
  const utilities = await readFile(resolve('onnxruntime-node/script/install-utils.js'), 'utf8');
  expect(utilities).toContain("'--onnxruntime-node-install-cuda='");
  expect(utilities).toMatch(/case 'v12':\s+return 12;/);
  const metadata = createRequire(import.meta.url)('onnxruntime-node/script/install-metadata.js') as {
    requirements: Record<string, string[]>;
  };
  expect(metadata.requirements['linux/x64']).toContain('cuda12');
});
