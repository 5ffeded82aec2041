import fc from 'fast-check';
import { expect, it } from 'vitest';
import { JsonScanner } from './json-scanner.ts';

const scan = (text: string) => new JsonScanner(Buffer.from(text));

it('reads numbers to the float32 that was written', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Math.fround(scan(JSON.stringify(value)).number()) + 0).toBe(value + 0);
    }),
    { seed: 7, numRuns: 2_000 },
  );
  for (const text of ['0', '-0.5', '1e3', '1E-3', '-9999.0', '3.5e+2', '0.00000012345678901234567']) {
    expect(scan(text).number()).toBeCloseTo(Number(text), 12);
  }
});

it('skips every value of JSON, and gives its bytes', () => {
  fc.assert(
    fc.property(fc.json(), fc.json(), (a, b) => {
      const json = scan(`{"a\\"b": ${a} , "c":${b}}`);
      const read: string[] = [];
      json.object(() => void read.push(json.raw().toString()));
      json.end();
      expect(read.map((text) => JSON.parse(text))).toEqual([JSON.parse(a), JSON.parse(b)]);
    }),
    { seed: 7 },
  );
});

it.each(['{"a": [1, 2', '{"a"', '{"a": "b', '{"a": 1} x', '[1]', ''])('refuses %j', (text) => {
  const json = scan(text);
  expect(() => {
    json.object(() => json.skip());
    json.end();
  }).toThrow('The answer is no JSON as expected');
});
