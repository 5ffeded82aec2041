import { expect, it } from 'vitest';
import { columnsCheck } from './check-columns.ts';

const check = columnsCheck(10);
const columns = (change: { ids?: number[]; values?: number[]; own?: number[] } = {}) => ({
  candidateIds: Int32Array.from(change.ids ?? [1, 9, 2, 0]),
  logProbabilities: Float32Array.from(change.values ?? [-0.5, -2, -0.25, -3]),
  tokenLogProbabilities: Float32Array.from(change.own ?? [0, -2]),
});

it('lets through what a model can say', () => {
  expect(() => check(columns(), 2)).not.toThrow();
  expect(() => check(columns({ values: [-0.5, -9999, 0, -9999] }), 2)).not.toThrow();
});

it.each([
  ['token 1 is not in its row', { own: [0, Number.NaN] }],
  ['token 1 has the log-probability 0.5', { own: [0, 0.5] }],
  ['token 1 has the log-probability -9999', { own: [0, -9999] }],
  ['candidate 10 after token 0', { ids: [10, 9, 2, 0] }],
  ['candidate -1 after token 1', { ids: [1, 9, 2, -1] }],
  ['candidate 2 comes twice after token 1', { ids: [1, 9, 2, 2] }],
  ['after token 0 have -0.5 behind -2', { values: [-2, -0.5, -0.25, -3] }],
  ['after token 1 have NaN', { values: [-0.5, -2, Number.NaN, -3] }],
  ['after token 0 have 1', { values: [1, -2, -0.25, -3] }],
  ['after token 0 have the mass 1.5', { values: [-0.1, -0.5, -0.25, -3] }],
])('refuses: %s', (reason, change) => {
  expect(() => check(columns(change), 2)).toThrow(reason);
});
