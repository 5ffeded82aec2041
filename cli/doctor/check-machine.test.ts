import { expect, it } from 'vitest';
import { checkCards, checkMachine, checkNode } from './check-machine.ts';
import { hasProblem } from './finding.ts';

it.each([
  ['20.20.0', 'ok'],
  ['22.1.0', 'ok'],
  ['20.19.9', 'problem'],
  ['18.30.0', 'problem'],
])('judges Node.js %s: %s', (version, verdict) => {
  const finding = checkNode(version, '>=20.20');
  expect(finding.verdict).toBe(verdict);
  expect(finding.text.includes('install 20.20 or newer')).toBe(verdict === 'problem');
});

it('tells a machine without a GPU from one whose GPU cannot be used', () => {
  expect(checkCards({ unknown: 'nvidia-smi is not installed' }, 'no CUDA: install it')).toEqual([
    { name: 'GPU', verdict: 'note', text: expect.stringContaining('(nvidia-smi is not installed)') },
  ]);
  const cards = [{ name: 'A100', driver: '535.1', memory: { total: 80e9, free: 79e9 } }];
  const found = { name: 'GPU 0', verdict: 'ok', text: 'A100, 79.0 GB free of 80.0 GB, driver 535.1' };
  expect(checkCards(cards, undefined)).toEqual([found]);
  expect(checkCards(cards, 'no CUDA: install it')).toEqual([
    found,
    { name: 'CUDA', verdict: 'note', text: 'no CUDA: install it' },
  ]);
});

it('finds no problem on a machine that runs our tests', async () => {
  const { findings, runtime } = await checkMachine();
  expect(hasProblem(findings)).toBe(false);
  expect(findings.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['Node.js', 'ONNX Runtime', 'nats-server', 'memory', 'disk']),
  );
  expect(runtime?.refusals.cpu).toBeUndefined();
});
