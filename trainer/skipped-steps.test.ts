import { expect, it } from 'vitest';
import { endedBySkipping, skippedLine } from './skipped-steps.ts';

it('names steps and documents, those that follow each other as a range', () => {
  const step = { step: 7, documents: [24, 25, 26, 27] };
  expect(skippedLine(step, { loss: Number.POSITIVE_INFINITY, gradientNorm: Number.NaN })).toBe(
    "Step 7 is skipped, it changed nothing: its loss is Infinity, its gradient's norm NaN (documents 24–27).",
  );
  const row = [step, { step: 8, documents: [28] }, { step: 10, documents: [33] }];
  expect(endedBySkipping(row, 'runs/first/checkpoints/step-000010')).toMatchObject({
    code: 'failed_precondition',
    message: expect.stringMatching(
      /^The loss or gradient of steps 7–8, 10 is NaN or infinite \(documents 24–28, 33\); .* from runs\/first\/checkpoints\/step-000010, /,
    ),
  });
});
