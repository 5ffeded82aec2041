import { expect, it } from 'vitest';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { checked, hasProblem, note, ok, problem } from './finding.ts';
import { findingLines, summaryLine } from './findings-text.ts';

it('makes a problem of a check that fails, in one line', async () => {
  const failing = async (): Promise<never> => {
    throw new FuseMeshError('not_found', 'No text at x:\n correct the path.');
  };
  expect(await checked('corpus', failing)).toEqual([problem('corpus', 'No text at x: correct the path.')]);
  expect(await checked('corpus', async () => [ok('corpus', '1 file')])).toEqual([ok('corpus', '1 file')]);
});

it('prints a line for each finding, and at the end whether it can run', () => {
  const findings = [ok('Node.js', '22'), note('GPU', 'none'), problem('nats', 'old: update it')];
  const lines = findingLines('Here', findings).map((line) => line.replaceAll(/\p{Cc}\[\d+m/gu, ''));
  expect(lines).toEqual([
    'Here',
    '  ok       Node.js  22',
    '  note     GPU      none',
    '  problem  nats     old: update it',
  ]);
  expect(hasProblem(findings)).toBe(true);
  expect(hasProblem(findings.slice(0, 2))).toBe(false);
  expect(summaryLine(findings.slice(0, 2), 'run.yaml')).toBe('run.yaml can run on this machine.');
  expect(summaryLine(findings, 'run.yaml')).toBe('run.yaml cannot run on this machine: one problem above.');
});
