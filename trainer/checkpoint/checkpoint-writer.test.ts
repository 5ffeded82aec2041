import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createLog } from '../../process/log/log.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { startCheckpointWriter } from './checkpoint-writer.ts';
import { newestCheckpoint, readSnapshot } from './read-checkpoint.ts';
import { initialState } from './training-state.ts';

it('writes in its thread what it is handed, and says in one line when the disk refuses', async () => {
  const root = await temporaryDirectory();
  const writer = startCheckpointWriter();
  onTestFinished(() => writer.stop());
  const options = { directory: join(root, 'checkpoints'), model: join(root, 'target'), keep: 2 };
  await mkdir(options.model);
  await writeFile(join(options.model, 'config.json'), '{}');
  const state = { ...initialState('demo', 'ab'), step: 4 };
  const snapshot = () => ({
    step: 4,
    tensors: [
      {
        name: 'head',
        shape: [2],
        weights: Float32Array.of(1, -0),
        firstMoment: Float32Array.of(2, 3),
        secondMoment: Float32Array.of(4, 5),
      },
    ],
  });

  const handedOver = snapshot();
  expect(await writer.write(options, state, handedOver)).toBe(join(options.directory, 'step-000004'));
  expect(handedOver.tensors[0].weights.length).toBe(0);
  const saved = await newestCheckpoint(options.directory, createLog('test', { level: 'silent' }));
  expect(saved?.state).toEqual(state);
  expect(await readSnapshot(saved!)).toEqual(snapshot());

  await writeFile(join(root, 'file'), '');
  const inTheWay = { ...options, directory: join(root, 'file', 'checkpoints') };
  await expect(writer.write(inTheWay, state, snapshot())).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringMatching(/^Cannot write the checkpoint .*step-000004: .*\.$/),
  });
});
