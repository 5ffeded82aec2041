import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { GetStatusResponseSchema } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { type Box, layoutOf } from './layout.ts';
import { noRates } from './rates.ts';
import { sceneOf } from './scene.ts';

/** A mesh with so many teachers, whose rates are known. */
function meshOf(teachers: number, deadLetters = 0) {
  const names = Array.from({ length: teachers }, (_, i) => `teacher-${i}`);
  const status = create(GetStatusResponseSchema, {
    documentsTotal: 2400n,
    sources: names.map((teacher, i) => ({
      teacher,
      attached: i !== 1,
      waitingForRoom: i === 0,
      tokensPerSecond: 1000,
      deadLetters: BigInt(i === 0 ? deadLetters : 0),
    })),
    streams: [
      { name: 'documents', messages: 1024n, bytes: 99n, mostMessages: 1024n },
      { name: 'distributions', messages: 512n, bytes: 99n, mostMessages: 1024n },
      { name: 'dead-letters', messages: BigInt(deadLetters), bytes: 9n, mostMessages: 0n },
    ],
  });
  const scored = new Map(names.map((name) => [name, 12.3]));
  return sceneOf(status, { ...noRates, scored }, new Date(0));
}

describe.each([320, 390, 760, 1000, 1412])('on %i pixels', (width) => {
  it.each([
    [1, 0],
    [4, 0],
    [9, 3],
  ])('the parts of a mesh with %i teachers stand apart, inside of the picture', (teachers, letters) => {
    const scene = meshOf(teachers, letters);
    const layout = layoutOf(scene, width);
    const boxes = [...layout.boxes.values()];
    expect(boxes).toHaveLength(scene.parts.length);
    for (const { x, y, width: wide, height } of boxes) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(y).toBeGreaterThanOrEqual(0);
      expect(x + wide).toBeLessThanOrEqual(layout.width);
      expect(y + height).toBeLessThanOrEqual(layout.height);
    }
    boxes.forEach((a, i) => {
      for (const b of boxes.slice(i + 1)) expect(overlap(a, b)).toBe(false);
    });
  });

  it('every way begins at the edge of a part and ends before another', () => {
    const scene = meshOf(4);
    const layout = layoutOf(scene, width);
    expect(layout.tracks).toHaveLength(scene.ways.length);
    for (const { path, way } of layout.tracks) {
      const [x, y] = path.slice(1).split(/[ ,]/).map(Number);
      const from = layout.boxes.get(way.from)!;
      expect(onEdge(from, x, y), `${way.from} to ${way.to}`).toBe(true);
      expect(path).not.toContain('NaN');
    }
  });
});

it('draws what stands still as such, and dead letters only where there are some', () => {
  const { parts, ways } = meshOf(3);
  const stopped = ways.filter((way) => way.stopped).map(({ from, to }) => `${from} > ${to}`);
  expect(stopped).toEqual([
    'corpus > documents',
    'documents > teacher teacher-1',
    'teacher teacher-0 > distributions',
    'teacher teacher-1 > distributions',
  ]);
  expect(parts.map(({ id }) => id)).not.toContain('letters');
  const letters = meshOf(3, 5).parts.find(({ id }) => id === 'letters');
  expect(letters).toMatchObject({ figure: '5', lines: ['from teacher-0'] });
});

it('says how full the streams are, each teacher with room of its own', () => {
  const part = (id: string) => meshOf(4).parts.find((candidate) => candidate.id === id);
  expect(part('documents')).toMatchObject({ fill: 1, figure: '100\u202f%' });
  expect(part('distributions')).toMatchObject({ fill: 0.125, lines: ['512 of 4\u202f096', '99\u202fB'] });
  expect(part('corpus')?.lines).toEqual(['waits for room', '2\u202f400 documents']);
});

it('says that the target writes documents too, and how fast', () => {
  const status = create(GetStatusResponseSchema, { rollouts: { last: { tokensPerSecond: 812 } } });
  const [corpus] = sceneOf(status, noRates, new Date(0)).parts;
  expect(corpus).toMatchObject({ title: 'Corpus, rollouts', figure: '812 tok/s' });
});

const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

const onEdge = ({ x, y, width, height }: Box, px: number, py: number): boolean =>
  px >= x - 0.01 &&
  px <= x + width + 0.01 &&
  py >= y - 0.01 &&
  py <= y + height + 0.01 &&
  (Math.abs(px - x - width) < 0.01 || Math.abs(py - y - height) < 0.01);
