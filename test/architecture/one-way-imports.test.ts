import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** A small tree of the project's shape that keeps every rule. */
const lawful: Readonly<Record<string, string>> = {
  'errors/failure.ts': 'export const failure = 1;',
  'numbers/float16.ts': 'export const half = 0.5;',
  'process/config/load.ts': "import '../../errors/failure.ts';",
  'wire/nats/acknowledge.ts': "import '../../errors/failure.ts';\nimport '../../numbers/float16.ts';",
  'wire/nats/streams.ts': "import 'nats';\nimport './acknowledge.ts';\nimport '../../errors/failure.ts';",
  'wire/nats/streams.test.ts': "import '../../test/support/server.ts';\nimport './streams.ts';",
  'wire/grpc/serve.ts': "import '@grpc/grpc-js';\nimport '../../process/config/load.ts';",
  'process/tracing/start.ts': "import '@opentelemetry/api';",
  'model/runtime/session.ts': "import 'koffi';\nimport '../../errors/failure.ts';",
  'texts/split.ts': "import '../model/runtime/session.ts';\nimport '../errors/failure.ts';",
  'services/feeder/feed.ts': "import '../../texts/split.ts';",
  'services/teacher/score.ts':
    "import '../../model/runtime/session.ts';\nimport '../../wire/nats/streams.ts';",
  'engine/step.ts': "import '../model/runtime/session.ts';",
  'fusion/batch.ts':
    "import '../engine/step.ts';\nimport '../wire/nats/streams.ts';\nimport './fusellm/fusellm.ts';",
  'fusion/fusellm/fusellm.ts': "export * from './time-warping.ts';",
  'fusion/fusellm/time-warping.ts': 'export const warp = 1;',
  'trainer/loop.ts':
    "import './report/status.ts';\nimport '../fusion/batch.ts';\nimport '../texts/split.ts';",
  'trainer/report/status.ts': "import '../../wire/generated/status_pb.ts';",
  'trainer/report/status.test.ts': "import '../loop.ts';",
  'wire/generated/status_pb.ts': 'export const status = 1;',
  'wire/messages/states.ts': "import '../generated/status_pb.ts';",
  'page/view/main.ts':
    "import 'uplot';\nimport '../../wire/generated/status_pb.ts';\nimport '../../wire/messages/states.ts';",
  'page/serve-page.ts': "import 'esbuild';\nimport '../errors/failure.ts';",
  'cli/up.ts': "import 'commander';\nimport '../services/teacher/score.ts';\nimport '../fusion/batch.ts';",
  'test/support/server.ts': "import '../../wire/nats/streams.ts';",
  'bench/step.ts': "import '../engine/step.ts';",
};

/** One import more, and the rule that it breaks. */
const unlawful: readonly (readonly [file: string, imported: string, rule: string])[] = [
  ['errors/failure.ts', '../wire/grpc/serve.ts', 'errors-imports-one-way'],
  ['numbers/float16.ts', '../errors/failure.ts', 'numbers-imports-one-way'],
  ['process/config/load.ts', '../../wire/grpc/serve.ts', 'process-imports-one-way'],
  ['wire/grpc/serve.ts', '../../model/runtime/session.ts', 'wire-imports-one-way'],
  ['wire/nats/streams.test.ts', '../../engine/step.ts', 'wire-imports-one-way'],
  ['model/runtime/session.ts', '../../wire/grpc/serve.ts', 'model-imports-one-way'],
  ['model/runtime/session.ts', '../../texts/split.ts', 'model-imports-one-way'],
  ['texts/split.ts', '../wire/grpc/serve.ts', 'texts-imports-one-way'],
  ['services/teacher/score.ts', '../../engine/step.ts', 'services-imports-one-way'],
  ['engine/step.ts', '../wire/grpc/serve.ts', 'engine-imports-one-way'],
  ['fusion/batch.ts', '../trainer/loop.ts', 'fusion-imports-one-way'],
  ['fusion/batch.ts', './fusellm/time-warping.ts', 'fusellm-behind-one-door'],
  ['trainer/loop.ts', '../services/teacher/score.ts', 'trainer-imports-one-way'],
  ['trainer/report/status.ts', '../loop.ts', 'trainer-assembles-its-rooms'],
  ['cli/up.ts', '../engine/step.ts', 'cli-imports-one-way'],
  ['page/serve-page.ts', '../engine/step.ts', 'page-imports-one-way'],
  ['page/serve-page.ts', '../wire/grpc/serve.ts', 'page-knows-messages-only'],
  ['wire/messages/states.ts', '../../errors/failure.ts', 'messages-stand-alone'],
  ['wire/messages/states.ts', 'node:fs', 'messages-stand-alone'],
  ['page/view/main.ts', '../serve-page.ts', 'browser-stands-alone'],
  ['page/view/main.ts', 'node:fs', 'browser-stands-alone'],
  ['engine/step.ts', 'uplot', 'uplot-behind-one-door'],
  ['engine/step.ts', 'nats', 'nats-behind-one-door'],
  ['services/teacher/score.ts', '@grpc/grpc-js', '@grpc/grpc-js-behind-one-door'],
  ['engine/step.ts', '@opentelemetry/api', '@opentelemetry-behind-one-door'],
  ['engine/step.ts', 'koffi', 'koffi-behind-one-door'],
  ['services/teacher/score.ts', '@huggingface/jinja', '@huggingface/jinja-behind-one-door'],
  ['services/teacher/score.ts', 'koffi', 'koffi-behind-one-door'],
  ['wire/nats/acknowledge.ts', './streams.ts', 'no-cycles'],
  ['cli/up.ts', '../bench/step.ts', 'rooms-stand-alone'],
  ['wire/nats/streams.test.ts', '../../bench/step.ts', 'tests-use-test-support'],
  ['bench/step.ts', '../wire/nats/streams.test.ts', 'nothing-imports-tests'],
  ['cli/up.ts', 'fast-check', 'no-development-packages-in-production'],
  ['cli/up.ts', '@grpc/proto-loader', 'packages-are-declared'],
  ['cli/up.ts', './missing.ts', 'imports-resolve'],
];

const configs = { files: '.dependency-cruiser.cjs', folders: '.dependency-cruiser.folders.cjs' };
let tree: string;

beforeEach(async () => {
  tree = await mkdtemp(join(tmpdir(), 'fusemesh-imports-'));
  const read = [...Object.values(configs), '.dependency-cruiser.rooms.cjs', 'tsconfig.json', 'package.json'];
  for (const file of read) {
    await copyFile(join(root, file), join(tree, file));
  }
  await symlink(join(root, 'node_modules'), join(tree, 'node_modules'));
  for (const [file, source] of Object.entries(lawful)) await write(file, source);
});

afterEach(() => rm(tree, { recursive: true }));

describe('the check of one-way imports', () => {
  it('passes a tree that keeps the rules', async () => {
    expect(await check('files')).toEqual({ exitCode: 0, broken: [] });
  });

  it('fails, naming the rule, for every rule that is broken', async () => {
    const added = new Map<string, string[]>();
    for (const [file, imported] of unlawful) added.set(file, [...(added.get(file) ?? []), imported]);
    for (const [file, imports] of added) {
      await write(file, [lawful[file], ...imports.map((imported) => `import '${imported}';`)].join('\n'));
    }
    const { exitCode, broken } = await check('files');
    expect(exitCode).toBeGreaterThan(0);
    for (const [file, , rule] of unlawful) expect(broken).toContain(`${rule}: ${file}`);
  });

  it('sees imports of types too', async () => {
    await write('model/runtime/session.ts', "import type { Serve } from '../../wire/grpc/serve.ts';");
    expect((await check('files')).broken).toEqual(['model-imports-one-way: model/runtime/session.ts']);
  });
});

describe('the check of circles between folders', () => {
  it('passes a tree that has none', async () => {
    expect(await check('folders')).toEqual({ exitCode: 0, broken: [] });
  });

  it('fails, naming the rule, where two folders need each other though no two files do', async () => {
    // serve.ts of wire/grpc imports process/config, and now another file there needs another of wire/grpc.
    await write('process/config/find.ts', "import '../../wire/grpc/status.ts';");
    await write('wire/grpc/status.ts', 'export const status = 1;');
    const { exitCode, broken } = await check('folders');
    expect(exitCode).toBeGreaterThan(0);
    expect(broken).toContain('no-circles-between-folders: process/config');
    expect(broken).toContain('no-circles-between-folders: wire/grpc');
    expect((await check('files')).broken.filter((line) => line.startsWith('no-cycles'))).toEqual([]);
  });

  it('looks at no tests, which stand beside what they test and use what is above it', async () => {
    await write('process/config/load.test.ts', "import '../../wire/grpc/serve.ts';");
    expect(await check('folders')).toEqual({ exitCode: 0, broken: [] });
  });
});

async function write(file: string, source: string): Promise<void> {
  await mkdir(dirname(join(tree, file)), { recursive: true });
  await writeFile(join(tree, file), source);
}

/** Runs dependency-cruiser on the tree, with the rules of files or of folders. */
function check(of: keyof typeof configs): Promise<{ exitCode: number; broken: string[] }> {
  const depcruise = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const rooms = new Set(Object.keys(lawful).map((file) => file.split('/')[0]));
  const parameters = ['--config', configs[of], '--output-type', 'err', ...rooms];
  return new Promise((resolve) => {
    execFile(process.execPath, [depcruise, ...parameters], { cwd: tree }, (error, stdout) => {
      // A line of the report: "  error RULE: FILE → IMPORTED".
      const broken = [...stripVTControlCharacters(stdout).matchAll(/^\s*error (\S+): (\S+) →/gm)];
      resolve({
        exitCode: error ? Number(error.code) : 0,
        broken: broken.map(([, rule, file]) => `${rule}: ${file}`),
      });
    });
  });
}
