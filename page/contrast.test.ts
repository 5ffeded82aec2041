import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** The variables of both themes. */
const [light, dark] = readFileSync(new URL('view/style/theme.css', import.meta.url), 'utf8')
  .split('@media (prefers-color-scheme: dark)')
  .map((css) =>
    Object.fromEntries(
      [...css.matchAll(/--([\w-]+): (#[\da-f]{6});/g)].map(([, name, value]) => [name, value]),
    ),
  );

/** Relative luminance, by WCAG 2. */
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

describe.each([
  ['light', light],
  ['dark', dark],
])('the %s theme', (_, theme) => {
  it.each([
    ...['ink', 'quiet', 'accent', 'good', 'warn', 'bad'].flatMap((text) =>
      ['ground', 'panel', 'raised'].map((ground) => [text, ground]),
    ),
    ['accent', 'accent-soft'],
    ['good', 'good-soft'],
    ['warn', 'warn-soft'],
    ['bad', 'bad-soft'],
    ['ink', 'accent-soft'],
  ])('has text that can be read: %s on %s', (text, ground) => {
    expect(contrast(theme[text], theme[ground])).toBeGreaterThanOrEqual(4.5);
  });

  it('has lines that stand out', () => {
    const series = Object.keys(theme).filter((name) => name.startsWith('series-'));
    expect(series).toHaveLength(7);
    for (const name of series) {
      expect(contrast(theme[name], theme['panel']), name).toBeGreaterThanOrEqual(3);
    }
  });
});

it('has the same variables in both themes', () => {
  expect(Object.keys(dark)).toEqual(Object.keys(light));
});
