import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { GetAlignmentResponseSchema } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { segmentsOf, visible } from './segments.ts';

const spansOf = (ends: readonly (readonly [number, number])[]) =>
  ends.map(([begin, end]) => ({ begin, end }));

const alignment = (
  text: string,
  target: readonly (readonly [number, number, number?])[],
  source: readonly (readonly [number, number])[],
) =>
  create(GetAlignmentResponseSchema, {
    text,
    target: target.map(([begin, end, sourceToken]) => ({
      span: { begin, end },
      ...(sourceToken === undefined ? {} : { sourceToken }),
    })),
    source: spansOf(source),
  });

const texts = (message: ReturnType<typeof alignment>) =>
  segmentsOf(message).map(({ target, source }) => [target, source].map((row) => row.map(({ text }) => text)));

it('cuts a text where both tokenizations meet', () => {
  // 201|9 and 2|019 meet at the end of the number only.
  const message = alignment(
    'In 2019',
    [
      [0, 2, 0],
      [2, 6],
      [6, 7, 2],
    ],
    [
      [0, 2],
      [2, 4],
      [4, 7],
    ],
  );
  expect(texts(message)).toEqual([
    [['In'], ['In']],
    [
      [' 201', '9'],
      [' 2', '019'],
    ],
  ]);
});

it('keeps what has no meeting point behind the last one', () => {
  const message = alignment(
    'abcd',
    [
      [0, 0],
      [0, 1, 0],
      [1, 4],
    ],
    [
      [0, 1],
      [1, 3],
    ],
  );
  expect(texts(message)).toEqual([
    [['', 'a'], ['a']],
    [['bcd'], ['bc']],
  ]);
});

it('writes a character once that several tokens are bytes of', () => {
  const message = alignment(
    '鯨',
    [
      [0, 1],
      [0, 1],
      [0, 1, 0],
    ],
    [[0, 1]],
  );
  expect(texts(message)).toEqual([[['鯨', '…', '…'], ['鯨']]]);
});

it('numbers tokens as the trainer does, and shows blanks', () => {
  const message = alignment(
    'a b',
    [
      [0, 1, 0],
      [1, 3, 1],
    ],
    [
      [0, 1],
      [1, 3],
    ],
  );
  expect(segmentsOf(message).map(({ target }) => target[0].index)).toEqual([0, 1]);
  expect([visible(' b\n'), visible('')]).toEqual(['·b⏎', '∅']);
});
