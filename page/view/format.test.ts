import { expect, it } from 'vitest';
import { bytes, counted, duration, grouped, loss, percent, rate, scientific, short } from './format.ts';

/** Narrow spaces as ordinary ones. */
const plain = (text: string): string => text.replaceAll('\u202f', ' ');

it('groups thousands, and shows what is no number as a dash', () => {
  expect([0, 999, 1000, 1_234_567.6, -4321].map((value) => plain(grouped(value)))).toEqual([
    '0',
    '999',
    '1 000',
    '1 234 568',
    '−4 321',
  ]);
  expect(plain(grouped(12_345.678, 2))).toBe('12 345.68');
  expect([Number.NaN, undefined, null, Number.POSITIVE_INFINITY].map((value) => grouped(value))).toEqual([
    '–',
    '–',
    '–',
    '–',
  ]);
});

it('shows rates, shares, losses and sizes with the digits that count', () => {
  expect([0, 0.25, 9.94, 1234.5].map((value) => plain(rate(value)))).toEqual(['0', '0.3', '9.9', '1 235']);
  expect([percent(0.416), percent(0.0123, 1), percent(undefined)].map(plain)).toEqual(['42 %', '1.2 %', '–']);
  expect(loss(2.34567)).toBe('2.346');
  expect([0, 999, 1000, 1_234_567, 250e6, 3e12].map((value) => plain(bytes(value)))).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '1.2 MB',
    '250 MB',
    '3.0 TB',
  ]);
  expect([0, 950, 1200, 12_000, 3.4e6].map(short)).toEqual(['0', '950', '1.2k', '12k', '3.4M']);
});

it('tells times as people do', () => {
  expect([0, 8.4, 59.6, 192, 3600, 7505, 90_000, -3].map((value) => plain(duration(value)))).toEqual([
    '0 s',
    '8 s',
    '1 min',
    '3 min 12 s',
    '1 h',
    '2 h 5 min',
    '1 d 1 h',
    '0 s',
  ]);
});

it('writes small numbers with a power of ten', () => {
  expect([0, 0.05, 0.003, 1.5e-5, 12_000].map((value) => plain(scientific(value)))).toEqual([
    '0',
    '0.05',
    '3.00 × 10⁻³',
    '1.50 × 10⁻⁵',
    '1.20 × 10⁴',
  ]);
});

it('counts in words', () => {
  expect([counted(1, 'document'), counted(0, 'document'), counted(2, 'copy', 'copies')]).toEqual([
    '1 document',
    '0 documents',
    '2 copies',
  ]);
});
