import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { recordInPieces } from './record-in-pieces.ts';
import { readRecording } from './recording-file.ts';

const texts = Array.from({ length: 150 }, (_, i) => `text ${i}`);
const say = () => undefined;

test('after a stop it resumes after the last whole piece', async () => {
  const path = join(await temporaryDirectory(), 'source.bin');
  const asked: string[] = [];
  const recordUntil = (limit: number) => async (piece: readonly string[]) => {
    if (asked.length + piece.length > limit) throw new Error('stopped');
    asked.push(...piece);
    return piece.map((text) => Buffer.from(text));
  };
  await expect(recordInPieces(path, texts, recordUntil(130), say)).rejects.toThrow('stopped');
  expect(await readRecording(path)).toBeUndefined();
  expect(asked.length).toBeGreaterThan(0);
  await recordInPieces(path, texts, recordUntil(150), say);
  expect(asked).toEqual(texts);
  expect((await readRecording(path))?.map(String)).toEqual(texts);
  await expect(access(`${path}.pieces`)).rejects.toThrow();
});
