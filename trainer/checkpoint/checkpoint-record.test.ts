import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatRecord, parseRecord } from './checkpoint-record.ts';
import { initialState } from './training-state.ts';

const record = {
  state: {
    ...initialState('demo', 'ab'),
    step: 50,
    documentsChosen: { fiction: 3, '7': 1 },
    skippedInRow: [{ step: 50, documents: [196, 197] }],
    best: { step: 40, bitsPerByte: 1 / 3 },
  },
  files: { 'config.json': { bytes: 2, sha256: '44' }, 'model.safetensors': { bytes: 9, sha256: 'ef' } },
};

it('comes back as it was written', () => {
  expect(parseRecord(formatRecord(record))).toEqual(record);
});

it('finds every flipped bit, and whatever else it did not write', () => {
  const bytes = Buffer.from(formatRecord(record));
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] ^= 1 << (bit & 7);
    expect(() => parseRecord(flipped.toString()), `bit ${bit}`).toThrow(/^trainer-state\.json is /);
  }
  fc.assert(fc.property(fc.string(), (text) => void expect(() => parseRecord(text)).toThrow()));
  fc.assert(fc.property(fc.json(), (text) => void expect(() => parseRecord(text)).toThrow()));
});

it('tells what is whole but of another version', () => {
  const text = formatRecord({ ...record, files: { 'config.json': 2 as never } });
  expect(() => parseRecord(text)).toThrow('trainer-state.json is of another version of FuseMesh');
});
