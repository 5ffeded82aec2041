import { spawnSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';

/** Where it must not write: none of these calls gets that far. */
function install(parameters: readonly string[], path = process.env['PATH']) {
  const program = join(import.meta.dirname, 'install.ts');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', program, ...parameters],
    { encoding: 'utf8', env: { ...process.env, PATH: path } },
  );
  return { status, stdout, stderr };
}

it('tells its options', () => {
  const { status, stdout } = install(['--help']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^npm run cuda -- \[--cuda 12\|13\] \[--from FILE\.whl\]\n/);
});

it.each([
  [['--cuda', '11'], '--cuda is 11, not 12 or 13: see npm run cuda -- --help'],
  [['--cuda', '12', '--from', 'x.whl'], '--from is for CUDA 13: see'],
  [['--cude', '12'], "Unknown option '--cude'"],
  [['--from', 'no.whl'], 'Cannot read no.whl (ENOENT): correct --from.'],
])('refuses %j in one line', (parameters, text) => {
  const { status, stdout, stderr } = install(parameters);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/^fusemesh: [^\n]*\n$/);
  expect(stderr).toContain(text);
});

it('says what is missing, and ends with 1', async () => {
  const directory = await temporaryDirectory();
  const program = join(directory, 'nvidia-smi');
  await writeFile(program, '#!/bin/sh\necho "| NVIDIA-SMI 520.61.05  CUDA Version: 11.8 |"\n');
  await chmod(program, 0o755);
  const { status, stderr } = install([], `${directory}:${process.env['PATH']}`);
  expect(status).toBe(1);
  expect(stderr).toBe(
    'fusemesh: The NVIDIA driver supports CUDA 11.8 at most; ONNX Runtime needs 12 or 13: update the driver.\n',
  );
});
