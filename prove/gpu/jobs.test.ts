import { expect, it } from 'vitest';
import { endOf, type Plan, parityJobs, runJobs, teachJobs, trainJobs } from './jobs.ts';
import { largeLlamas } from './llamas.ts';
import { parts } from './row.ts';

const llamas = largeLlamas.map((llama) => ({ ...llama, directory: llama.name, parameters: 1 }));
const plan: Plan = { place: { provider: 'cuda', device: 1 }, quick: false };

it('takes six minutes at most', () => {
  const ends = parts.map((part) => endOf(part, plan));
  expect([...ends].sort((a, b) => a - b)).toEqual(ends);
  expect(ends.at(-1)).toBe(360);
});

it('measures what matters most first: ours and PyTorch, what compiles for long too, then variants', () => {
  expect(trainJobs(llamas, plan).map(({ name }) => name)).toEqual([
    '125 M bfloat16: FuseMesh',
    '1 B bfloat16: FuseMesh',
    '125 M bfloat16: PyTorch eager',
    '1 B bfloat16: PyTorch eager',
    '125 M bfloat16: torch.compile',
    '1 B bfloat16: torch.compile',
    '1 B bfloat16: FuseMesh, activations in bfloat16',
    '125 M bfloat16: FuseMesh, state in the host',
  ]);
});

it('asks all of the same device, in command lines that Linux takes', () => {
  const jobs = [
    ...parityJobs(plan),
    ...trainJobs(llamas, plan),
    ...teachJobs(llamas, plan),
    ...runJobs(plan),
  ];
  for (const { name, command } of jobs) {
    const request = command.at(-1)!;
    expect(request, name).toMatch(/"device":(1|"cuda:1")/);
    expect(request.length, name).toBeLessThan(128 * 1024);
  }
});
