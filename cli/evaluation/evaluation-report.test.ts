import colors from 'picocolors';
import { expect, it } from 'vitest';
import { evaluationTables } from './evaluation-report.ts';

const plain = colors.createColors(false);
const text = { bitsPerByte: 2, natsPerToken: 3.5, perplexity: 33.115, tokens: 1234, bytes: 3000 };
const of = { model: 'models/orator', contextLength: 256 };

it('prints texts with their total, and questions', () => {
  const texts = [
    { name: 'speeches.txt', ...text },
    { name: 'fiction.txt', ...text, perplexity: 7 },
  ];
  const choices = {
    path: 'hellaswag.jsonl',
    questions: 12,
    acc: 0.5,
    accNorm: 0.75,
    accStandardError: 0.1508,
    accNormStandardError: 0.1306,
  };
  const total = { name: 'total', ...text, tokens: 2468 };
  expect(evaluationTables({ ...of, texts, total, choices }, plain).split('\n')).toEqual([
    'held-out text  bits per byte  nats per token  perplexity  tokens  bytes',
    'speeches.txt          2.0000          3.5000       33.12   1,234  3,000',
    'fiction.txt           2.0000          3.5000        7.00   1,234  3,000',
    'total                 2.0000          3.5000       33.12   2,468  3,000',
    '',
    'multiple choice  questions     acc  ± error  acc_norm  ± error',
    'hellaswag.jsonl         12  0.5000   0.1508    0.7500   0.1306',
  ]);
});

it('leaves out what there is not', () => {
  const one = { name: 'speeches.txt', ...text };
  expect(
    evaluationTables({ ...of, texts: [one], total: one, choices: null }, plain).split('\n'),
  ).toHaveLength(2);
  const choices = {
    path: 'one.jsonl',
    questions: 1,
    acc: 1,
    accNorm: 0,
    accStandardError: null,
    accNormStandardError: null,
  };
  expect(evaluationTables({ ...of, texts: [], total: null, choices }, plain).split('\n')[1]).toBe(
    'one.jsonl                1  1.0000        –    0.0000        –',
  );
});
