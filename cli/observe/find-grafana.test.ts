import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findGrafana } from './find-grafana.ts';
import { findPrograms } from './find-program.ts';

let root: string;
beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'fusemesh-grafana-')));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function file(path: string, { executable = false } = {}): Promise<string> {
  const whole = join(root, path);
  await mkdir(dirname(whole), { recursive: true });
  await writeFile(whole, '#!/bin/sh\n');
  if (executable) await chmod(whole, 0o755);
  return whole;
}

test('finds the files beside the program of an archive', async () => {
  const program = await file('archive/bin/grafana', { executable: true });
  await file('archive/conf/defaults.ini');
  expect(findGrafana([program])).toEqual({ program, verb: ['server'], home: join(root, 'archive') });
});

test('follows the links of Homebrew, and knows the older program', async () => {
  const real = await file('Cellar/grafana/12/bin/grafana-server', { executable: true });
  await file('Cellar/grafana/12/share/grafana/conf/defaults.ini');
  const program = join(root, 'grafana-server');
  await symlink(real, program);
  const home = join(root, 'Cellar/grafana/12/share/grafana');
  expect(findGrafana([program])).toEqual({ program, verb: [], home });
});

test('passes over a program whose files are not there', async () => {
  expect(findGrafana([])).toBeUndefined();
});

test('finds programs on PATH, and nothing that cannot be run', async () => {
  const program = await file('one/fusemesh-test-program', { executable: true });
  await file('two/fusemesh-test-program');
  expect(findPrograms(['fusemesh-test-program'], `${join(root, 'two')}:${join(root, 'one')}`)).toEqual([
    program,
  ]);
});
