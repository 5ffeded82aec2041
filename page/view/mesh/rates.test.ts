import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { GetStatusResponseSchema } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { noRates, ratesBetween, ratesOf, type Sample, withSample } from './rates.ts';

const sample = (at: number, documents: number, scored: number, wait = 0, compute = at): Sample => ({
  at,
  status: create(GetStatusResponseSchema, {
    lastStep: { documents: BigInt(documents) },
    sources: [{ teacher: 'orator', documentsScored: BigInt(scored), bytesReceived: BigInt(scored * 1000) }],
    time: { wait, compute },
  }),
});

it('tells what runs through the mesh', () => {
  expect(ratesBetween(sample(0, 10, 20), sample(4, 30, 60, 1, 3))).toEqual({
    documents: 5,
    waitShare: 0.25,
    bytes: 10_000,
    scored: new Map([['orator', 10]]),
  });
});

it('tells nothing of counters that began anew, of no time, and of one sample', () => {
  const rates = ratesBetween(sample(0, 30, 60, 5), sample(4, 10, 0, 1));
  expect(rates.documents).toBeUndefined();
  expect(rates.waitShare).toBeUndefined();
  expect(rates.bytes).toBeUndefined();
  expect(rates.scored.get('orator')).toBeUndefined();
  expect(ratesBetween(sample(1, 1, 1), sample(1, 2, 2)).documents).toBeUndefined();
  expect(ratesOf([sample(1, 1, 1)])).toBe(noRates);
});

it('keeps samples of the last ten seconds, and one before', () => {
  let samples: Sample[] = [];
  for (let at = 0; at <= 25; at++) samples = withSample(samples, sample(at, at, at));
  expect(samples.map(({ at }) => at)).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
  expect(ratesOf(samples).documents).toBe(1);
  // After a silence the last sample before it is all there is.
  expect(withSample(samples, sample(100, 100, 100)).map(({ at }) => at)).toEqual([25, 100]);
});
