import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { program } from '../../cli/program.ts';
import { metricsDocument } from '../../deploy/metrics-document/metrics-document.ts';
import { runConfigSchema } from '../../process/config/schema.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n');
const topLevel = new Set(tracked.map((file) => file.split('/')[0]));

const generated = ['docs/results.md', 'docs/metrics.md'];
const handWritten = tracked.filter(
  (file) => /^([A-Z]+|docs\/[\w-]+|examples\/.+\/README)\.md$/.test(file) && !generated.includes(file),
);

describe.each(handWritten)('%s', (document) => {
  const text = read(document).replaceAll(/^```.*?^```/gms, '');
  const links = [...text.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, link]) => link);
  const named = [...text.matchAll(/`([\w.@/-]+)`/g)].map(([, name]) => name);
  const paths = named.filter((name) => name.includes('/') && topLevel.has(name.split('/')[0]));
  const tests = named.filter((name) => /^[\w-]+\.test\.ts$/.test(name));

  it('has links that lead somewhere', () => {
    for (const link of links) {
      const [path, heading] = link.split('#');
      const target = path === '' ? document : join(dirname(document), path);
      expect(existsSync(join(root, target)), link).toBe(true);
      if (heading !== undefined) expect(headingsOf(target), link).toContain(heading);
    }
  });

  it('names paths and tests that exist', () => {
    for (const path of paths) expect(existsSync(join(root, path)), path).toBe(true);
    for (const test of tests)
      expect(
        tracked.some((file) => file.endsWith(`/${test}`)),
        test,
      ).toBe(true);
  });
});

/** Headings of a document as links name them. */
const headingsOf = (document: string): string[] =>
  [...read(document).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

it.each(['README.md', 'ARCHITECTURE.md'])('%s is short', (document) => {
  expect(read(document).trimEnd().split('\n').length).toBeLessThanOrEqual(150);
});

it('README.md leads to every page in docs', () => {
  const pages = tracked.filter((file) => /^docs\/[\w-]+\.md$/.test(file));
  for (const page of pages) expect(read('README.md')).toContain(`](${page})`);
});

it('docs/metrics.md is what the tables of metrics make', () => {
  expect(read('docs/metrics.md')).toBe(metricsDocument());
});

it('ARCHITECTURE.md names every room', () => {
  const rooms = tracked
    .filter((file) => /^(process|wire|model|engine|fusion|services|trainer)\/\w+\//.test(file))
    .map((file) => file.split('/').slice(0, 2).join('/'));
  for (const room of new Set(rooms)) expect(read('ARCHITECTURE.md')).toContain(`\`${room}\``);
});

it('README.md shows a run file that is valid', () => {
  const [, example] = /^```yaml\n(.*?)^```/ms.exec(read('README.md'))!;
  expect(runConfigSchema.safeParse(parse(example)).error).toBeUndefined();
});

it('docs/operations.md lists every command, and no other', async () => {
  const fusemesh = await program();
  const verbs = fusemesh.createHelp().visibleCommands(fusemesh);
  const listed = [...read('docs/operations.md').matchAll(/^\| `fusemesh ([\w-]+)/gm)];
  const names = verbs.map((verb) => verb.name()).filter((name) => name !== 'help');
  expect(listed.map(([, verb]) => verb).sort()).toEqual(names.sort());
});

it('docs/run-file.md has every key of the run file with its default, and no other', () => {
  const rows = [...read('docs/run-file.md').matchAll(/^\| (`.+?) \| (.+?) \|/gm)].flatMap(
    ([, keys, defaults]) => {
      const values = defaults.split(', ');
      return keys.split(', ').map((key, i) => [key.slice(1, -1), values[i] ?? values[0]] as const);
    },
  );
  expect(rows.map(([key]) => key).sort()).toEqual([...keysOf(schema)].map(([key]) => key).sort());
  for (const [key, { default: value }] of keysOf(schema)) {
    if (value === undefined || typeof value === 'object') continue;
    const [, written] = rows.find(([name]) => name === key)!;
    expect(parse(written.slice(1, -1)), key).toEqual(value);
  }
});

/** The part of JSON Schema that is looked at. */
interface KeySchema {
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, KeySchema>>;
  readonly anyOf?: readonly KeySchema[];
  readonly items?: KeySchema;
}

const schema = z.toJSONSchema(runConfigSchema, { io: 'input' }) as KeySchema;

/** All keys that have a value of their own: "trainer.steps", "teachers[].name". */
function* keysOf(node: KeySchema, key = ''): Generator<readonly [string, KeySchema]> {
  const inner = [node, ...(node.anyOf ?? [])].flatMap(({ properties }) => Object.entries(properties ?? {}));
  const items = [node, ...(node.anyOf ?? [])].map((form) => form.items).find((item) => item?.properties);
  if (node.properties === undefined && items === undefined) yield [key, node];
  for (const [name, value] of inner) yield* keysOf(value, key === '' ? name : `${key}.${name}`);
  if (items) yield* keysOf(items, `${key}[]`);
}
