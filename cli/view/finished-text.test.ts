import { create } from '@bufbuild/protobuf';
import colors from 'picocolors';
import { expect, test } from 'vitest';
import { runConfigSchema } from '../../process/config/schema.ts';
import { GetStatusResponseSchema } from '../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { finishedText } from './finished-text.ts';

const config = runConfigSchema.parse({
  run: 'demo',
  contextLength: 16,
  corpus: [{ domain: 'speeches', path: 'x.txt' }],
  teachers: [{ name: 'orator', address: '127.0.0.1:0' }],
  target: { model: 'm' },
  trainer: { output: 'out' },
});
const text = (status: object) =>
  finishedText(
    config,
    create(GetStatusResponseSchema, { run: 'demo', ...status }),
    colors.createColors(false),
  );
const counts = { step: 41n, documents: 1234n, tokens: 56789n };

test('tells what is stored of a finished run', () => {
  const stored = text({
    lastStep: { ...counts, loss: 3, causalLoss: 2.5, fusionLoss: 4 },
    sources: [
      { teacher: 'orator', documentsChosen: 3n },
      { teacher: 'novelist', documentsChosen: 1n },
    ],
    heldOut: { step: 41n, bitsPerByte: { speeches: 2.25 } },
    rollouts: { documents: 900n, tokens: 34_000n, endedByLength: 90n },
    skippedSteps: 1n,
  });
  expect(stored.split('\n')).toEqual([
    'run demo  finished',
    '  trained   41 steps, 1,234 documents, 56,789 tokens',
    '  loss      3.0000  (text 2.5000, fusion 4.0000)',
    '  held-out  speeches 2.250 bits per byte  (step 41)',
    '  rollouts  900 completions, 34,000 tokens, 10 % ended by length',
    '  taught    orator 75 %, novelist 25 % of the documents',
    '  skipped   1 steps',
    '  model     out/model',
  ]);
});

test('leaves out what is not stored', () => {
  expect(text({ lastStep: { ...counts, loss: Number.NaN } }).split('\n')).toHaveLength(3);
});
