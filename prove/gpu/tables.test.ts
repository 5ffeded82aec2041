import { expect, it } from 'vitest';
import type { Row } from './row.ts';
import { parityTable, tablesOf } from './tables.ts';

const compared = (name: string, gradients: number | string, ok: boolean): Row => ({
  part: 'parity',
  name: `float32 ${name}`,
  figures: { gradients },
  ok,
});

it('shows the worst of a precision, and by itself each model that fails', () => {
  const [worst, ...others] = parityTable([compared('a', 2e-6, true), compared('b', 0.25, false)]);
  expect(worst).toMatchObject({
    name: 'float32: the worst of 2',
    figures: { gradients: '0.25 (0.001 allowed)' },
    ok: false,
  });
  expect(others.map(({ name }) => name)).toEqual(['float32 b']);
});

it('takes NaN for the worst', () => {
  const [{ figures }] = parityTable([compared('a', 'NaN', false), compared('b', 1e-6, true)]);
  expect(figures).toEqual({ gradients: 'NaN (0.001 allowed)' });
});

it('does not pass where nothing was compared', () => {
  const [row] = parityTable([{ part: 'parity', name: 'bfloat16', note: 'not done after 40 s', ok: false }]);
  expect(row).toMatchObject({ name: 'bfloat16: the worst of 0', ok: false });
});

it('makes one table of each part, with the columns that its rows have', () => {
  const tables = tablesOf([
    { part: 'train', name: 'ours', figures: { 'tokens/s': 12345.6, 'MFU %': 41.234 } },
    { part: 'train', name: 'theirs', note: 'not installed: python3' },
    { part: 'run', name: 'killed', figures: { difference: 0 }, ok: true },
  ]);
  expect(tables.split('\n').filter((line) => line.startsWith('|'))).toEqual([
    '|  | tokens/s | MFU % | note |',
    '| --- | --- | --- | --- |',
    '| ours | 12346 | 41.2 |  |',
    '| theirs |  |  | not installed: python3 |',
    '|  | difference | passes |',
    '| --- | --- | --- |',
    '| killed | 0 | yes |',
  ]);
});
