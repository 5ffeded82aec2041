import { expect, test } from 'vitest';
import { drawBars } from './bars.ts';
import { drawCurve } from './curve.ts';
import { drawDifferences } from './differences.ts';
import { scaleFor } from './scale.ts';
import { colours, ink } from './svg.ts';

const interval = (mean: number, halfWidth?: number) => ({ mean, halfWidth });

/** WCAG's relative luminance of #rrggbb. */
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test('ink and colours can be read on white and on the dark of code hosts', () => {
  for (const colour of [ink, ...colours]) {
    expect(1.05 / (luminance(colour) + 0.05), `${colour} on white`).toBeGreaterThan(3);
    expect((luminance(colour) + 0.05) / (luminance('#0d1117') + 0.05), `${colour} on dark`).toBeGreaterThan(
      3,
    );
  }
});

test('an axis holds all its values between round ones', () => {
  const { ticks, at, write } = scaleFor([0, 0.137, -0.02], [100, 0]);
  expect(ticks.map(write)).toEqual(['−0.05', '0.00', '0.05', '0.10', '0.15']);
  expect([at(ticks[0]), at(ticks[4])]).toEqual([100, 0]);
  expect(scaleFor([3, 3], [0, 10]).ticks.length).toBeGreaterThan(1);
});

test('bars begin at 0 and are as long as their values', () => {
  const svg = drawBars({
    title: 'A & B',
    groups: ['speeches'],
    series: [
      { name: 'one', values: [interval(0.1, 0.01)] },
      { name: 'two', values: [interval(0.2)] },
    ],
  });
  expect(svg).toContain('A &amp; B');
  const heights = [...svg.matchAll(/<rect[^>]* height="([\d.]+)" fill/g)].map(([, height]) => Number(height));
  expect(heights[1] / heights[0]).toBeCloseTo(2, 1);
});

test('a difference within the noise is grey, one beyond it is not', () => {
  const rows = [
    { name: 'clear', difference: interval(-0.2, 0.1) },
    { name: 'noise', difference: interval(0.05, 0.1) },
    { name: 'one seed', difference: interval(0.5) },
  ];
  const svg = drawDifferences({ title: 'Differences', axis: 'bits', rows });
  const fills = [...svg.matchAll(/<circle[^>]* fill="(#\w+)"/g)].map(([, fill]) => fill);
  expect(fills).toEqual([colours[2], ink, ink]);
});

test('a curve falls from left to right as its losses do', () => {
  const svg = drawCurve({
    title: 'Curve',
    axis: 'tokens',
    name: 'default',
    points: [100, 200, 400].map((tokens, i) => ({ tokens, loss: interval(3 - i / 10, 0.01) })),
    other: { name: 'continued', tokens: 400, loss: interval(2.9, 0.01) },
  });
  const points = /<polyline points="([^"]+)"/
    .exec(svg)![1]
    .split(' ')
    .map((point) => point.split(',').map(Number));
  expect(points[1][0] - points[0][0]).toBeCloseTo(points[2][0] - points[1][0], 0);
  expect(points[2][1]).toBeGreaterThan(points[0][1]);
});
