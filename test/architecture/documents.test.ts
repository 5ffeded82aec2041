import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { metricsDocument } from '../../deploy/metrics-document/metrics-document.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n');
const topLevel = new Set(tracked.map((file) => file.split('/')[0]));

describe.each(['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'])('%s', (document) => {
  it('names paths that exist', () => {
    const named = [...read(document).matchAll(/`([\w.@/-]+)`|\]\((?!https?:)([^)#]+)\)/g)]
      .map(([, code, link]) => code ?? link)
      .filter((path) => path.includes('/') && topLevel.has(path.split('/')[0]));
    expect(named.length).toBeGreaterThan(0);
    for (const path of named) expect(existsSync(join(root, path)), path).toBe(true);
  });
});

it('docs/metrics.md is what the tables of metrics make, and README.md leads there', () => {
  expect(read('docs/metrics.md')).toBe(metricsDocument());
  expect(read('README.md')).toContain('](docs/metrics.md)');
});

it('ARCHITECTURE.md names every room', () => {
  const rooms = tracked
    .filter((file) => /^(process|wire|model|engine|fusion|services|trainer)\/\w+\//.test(file))
    .map((file) => file.split('/').slice(0, 2).join('/'));
  for (const room of new Set(rooms)) expect(read('ARCHITECTURE.md')).toContain(`\`${room}\``);
});
