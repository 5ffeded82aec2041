import { expect, it } from 'vitest';
import { refuseTooLarge } from './kept-recording.ts';

const facts = {
  corpusSha256: 'ab'.repeat(32),
  documents: 1_000,
  textBytes: 1,
  contextLength: 64,
  topK: 8,
  seed: 0,
};
const refused = (appended: number, bytes: number) => () => refuseTooLarge({ appended, bytes, facts }, 10_000);

it('refuses what is too large, and as soon as it shows what will be', () => {
  // Few documents say little of the others.
  expect(refused(63, 63 * 50)).not.toThrow();
  expect(refused(64, 64 * 50)).toThrow(
    'takes 3200 bytes, all of it about 50000; trainer.recordingBytes is 10000',
  );
  expect(refused(64, 64 * 12)).not.toThrow();
  expect(refused(900, 10_001)).toThrow('raise it, lower topK, or set trainer.epochs: 1');
  expect(refused(1_000, 10_000)).not.toThrow();
});
