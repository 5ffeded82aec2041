import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const rooms = [
  'errors',
  'numbers',
  'mesh',
  'model',
  'texts',
  'services',
  'trainer',
  'page',
  'cli',
  'test',
  'bench',
];

/** A small tree of the project's shape that keeps every rule. */
const lawful: Readonly<Record<string, string>> = {
  'errors/failure.ts': 'export const failure = 1;',
  'numbers/float16.ts': 'export const half = 0.5;',
  'mesh/nats/acknowledge.ts': "import '../../errors/failure.ts';\nimport '../../numbers/float16.ts';",
  'mesh/nats/streams.ts': "import 'nats';\nimport './acknowledge.ts';\nimport '../../errors/failure.ts';",
  'mesh/nats/streams.test.ts': "import '../../test/support/server.ts';\nimport './streams.ts';",
  'mesh/grpc/serve.ts': "import '@grpc/grpc-js';",
  'mesh/tracing/start.ts': "import '@opentelemetry/api';",
  'model/runtime/session.ts': "import 'onnxruntime-node';\nimport '../../errors/failure.ts';",
  'texts/split.ts': "import '../model/runtime/session.ts';\nimport '../errors/failure.ts';",
  'services/corpus/feed.ts': "import '../../texts/split.ts';",
  'services/teacher/score.ts':
    "import '../../model/runtime/session.ts';\nimport '../../mesh/nats/streams.ts';",
  'trainer/engine/step.ts': "import '../../model/runtime/session.ts';\nimport '../../texts/split.ts';",
  'mesh/generated/status_pb.ts': 'export const status = 1;',
  'page/view/main.ts': "import 'uplot';\nimport '../../mesh/generated/status_pb.ts';",
  'page/serve-page.ts': "import 'esbuild';\nimport '../errors/failure.ts';",
  'cli/up.ts':
    "import 'commander';\nimport '../services/teacher/score.ts';\nimport '../trainer/engine/step.ts';",
  'test/support/server.ts': "import '../../mesh/nats/streams.ts';",
  'bench/step.ts': "import '../trainer/engine/step.ts';",
};

/** One import more, and the rule that it breaks. */
const unlawful: readonly (readonly [file: string, imported: string, rule: string])[] = [
  ['errors/failure.ts', '../mesh/grpc/serve.ts', 'errors-imports-one-way'],
  ['numbers/float16.ts', '../errors/failure.ts', 'numbers-imports-one-way'],
  ['mesh/grpc/serve.ts', '../../model/runtime/session.ts', 'mesh-imports-one-way'],
  ['mesh/nats/streams.test.ts', '../../trainer/engine/step.ts', 'mesh-imports-one-way'],
  ['model/runtime/session.ts', '../../mesh/grpc/serve.ts', 'model-imports-one-way'],
  ['model/runtime/session.ts', '../../texts/split.ts', 'model-imports-one-way'],
  ['texts/split.ts', '../mesh/grpc/serve.ts', 'texts-imports-one-way'],
  ['services/teacher/score.ts', '../../trainer/engine/step.ts', 'services-imports-one-way'],
  ['trainer/engine/step.ts', '../../services/teacher/score.ts', 'trainer-imports-one-way'],
  ['page/serve-page.ts', '../trainer/engine/step.ts', 'page-imports-one-way'],
  ['page/serve-page.ts', '../mesh/grpc/serve.ts', 'page-knows-messages-only'],
  ['page/view/main.ts', '../serve-page.ts', 'browser-stands-alone'],
  ['page/view/main.ts', 'node:fs', 'browser-stands-alone'],
  ['trainer/engine/step.ts', 'uplot', 'uplot-behind-one-door'],
  ['trainer/engine/step.ts', 'nats', 'nats-behind-one-door'],
  ['services/teacher/score.ts', '@grpc/grpc-js', '@grpc/grpc-js-behind-one-door'],
  ['trainer/engine/step.ts', '@opentelemetry/api', '@opentelemetry-behind-one-door'],
  ['trainer/engine/step.ts', 'onnxruntime-node', 'onnxruntime-node-behind-one-door'],
  ['services/teacher/score.ts', 'onnxruntime-node', 'onnxruntime-node-behind-one-door'],
  ['mesh/nats/acknowledge.ts', './streams.ts', 'no-cycles'],
  ['cli/up.ts', '../bench/step.ts', 'rooms-stand-alone'],
  ['mesh/nats/streams.test.ts', '../../bench/step.ts', 'tests-use-test-support'],
  ['bench/step.ts', '../mesh/nats/streams.test.ts', 'nothing-imports-tests'],
  ['cli/up.ts', 'fast-check', 'no-development-packages-in-production'],
  ['cli/up.ts', '@grpc/proto-loader', 'packages-are-declared'],
  ['cli/up.ts', './missing.ts', 'imports-resolve'],
];

describe('the check of one-way imports', () => {
  let tree: string;

  const write = async (file: string, source: string) => {
    await mkdir(dirname(join(tree, file)), { recursive: true });
    await writeFile(join(tree, file), source);
  };

  beforeEach(async () => {
    tree = await mkdtemp(join(tmpdir(), 'fusemesh-imports-'));
    for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) {
      await copyFile(join(root, file), join(tree, file));
    }
    await symlink(join(root, 'node_modules'), join(tree, 'node_modules'));
    for (const [file, source] of Object.entries(lawful)) await write(file, source);
  });

  afterEach(() => rm(tree, { recursive: true }));

  it('passes a tree that keeps the rules', async () => {
    expect(await check(tree)).toEqual({ exitCode: 0, broken: [] });
  });

  it('fails, naming the rule, for every rule that is broken', async () => {
    const added = new Map<string, string[]>();
    for (const [file, imported] of unlawful) added.set(file, [...(added.get(file) ?? []), imported]);
    for (const [file, imports] of added) {
      await write(file, [lawful[file], ...imports.map((imported) => `import '${imported}';`)].join('\n'));
    }
    const { exitCode, broken } = await check(tree);
    expect(exitCode).toBeGreaterThan(0);
    for (const [file, , rule] of unlawful) expect(broken).toContain(`${rule}: ${file}`);
  });

  it('sees imports of types too', async () => {
    await write('model/runtime/session.ts', "import type { Serve } from '../../mesh/grpc/serve.ts';");
    expect((await check(tree)).broken).toEqual(['model-imports-one-way: model/runtime/session.ts']);
  });
});

function check(tree: string): Promise<{ exitCode: number; broken: string[] }> {
  const depcruise = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const parameters = ['--config', '.dependency-cruiser.cjs', '--output-type', 'err', ...rooms];
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
