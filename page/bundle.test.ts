import { describe, expect, it } from 'vitest';
import { bundle } from './bundle.ts';

/** Addresses that stand in the code and are never asked for: a namespace of XML, and the homes of packages. */
const known = new Set([
  'http://www.w3.org/2000/svg',
  'https://github.com/leeoniya/uPlot',
  'https://github.com/bufbuild/protobuf-es',
]);

describe.each(['live', 'report'] as const)('the %s bundle', (name) => {
  it('loads nothing from elsewhere', async () => {
    const { script, style } = await bundle(name);
    const hosts = [...`${script}${style}`.matchAll(/(?:https?:)?\/\/[\w-]+\.[\w./-]+/g)].map(([url]) => url);
    expect(hosts.filter((url) => !known.has(url))).toEqual([]);
    expect(style).not.toMatch(/url\(|@import|@font-face/);
    expect(script).not.toMatch(/\bimport\(|\beval\(|new Function/);
  });

  it('is small, and names whose code is in it', async () => {
    const { script, style } = await bundle(name);
    expect(script.length).toBeLessThan(250_000);
    expect(style.length).toBeLessThan(25_000);
    expect(script.slice(0, 200)).toContain('Leon Sorokin');
  });

  it('is made once', () => {
    expect(bundle(name)).toBe(bundle(name));
  });
});
