import { copyFile, cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeRandomLlama } from '../../../bench/random-llama.ts';
import { TrainingEngine } from '../../../engine/training-engine.ts';
import { createLog } from '../../../process/log/log.ts';
import { newestCheckpoint, readSnapshot } from '../../../trainer/checkpoint/read-checkpoint.ts';
import { runCommand } from '../../end-to-end/command.ts';
import {
  goOn,
  killTrainer,
  makeSmallCorpus,
  type SmallCorpus,
  writeRunFile,
  zoo,
} from '../../end-to-end/small-run.ts';
import { optionsFor } from '../../support/engine-options.ts';
import { refusalOfDevice } from '../software-device.ts';

const refusal = await refusalOfDevice();
const steps = 6;
const silent = createLog('test', { level: 'silent' });
let corpus: SmallCorpus;

beforeAll(async () => {
  corpus = await makeSmallCorpus({ bytesOfDomain: 2000 });
  await makeTarget(join(corpus.directory, 'target'));
});
afterAll(() => corpus.remove());

/** Three thousand tokens, as the zoo's target has, but far less between them: a software device is slow. */
async function makeTarget(directory: string): Promise<void> {
  await mkdir(directory);
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json'])
    await copyFile(join(zoo, 'target', name), join(directory, name));
  await writeRandomLlama(directory, {
    vocab_size: 3000,
    hidden_size: 16,
    intermediate_size: 24,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 96,
  });
}

/** A run of one teacher, whose trainer is on a device. */
const writeRun = (run: string) =>
  writeRunFile(corpus, {
    run,
    changes: {
      contextLength: 32,
      topK: 4,
      corpus: [{ domain: 'speeches', path: 'speeches.txt' }],
      heldOut: undefined,
      teachers: [{ name: 'orator', address: '127.0.0.1:0', model: join(zoo, 'orator') }],
      target: { model: 'target' },
      trainer: {
        address: '127.0.0.1:0',
        metricsPort: 0,
        output: join(corpus.directory, run),
        execution: 'webgpu',
        learningRate: 1e-3,
        batchDocuments: 3,
        tokensAtOnce: 64,
        checkpointEvery: 2,
        steps,
      },
    },
  });

/** What a run has made, and the loss of each of its steps. */
async function resultOf(output: string) {
  const history = (await readFile(join(output, 'history.jsonl'), 'utf8')).trim().split('\n');
  return {
    weights: await readFile(join(output, 'model', 'model.safetensors')),
    losses: history.map((line) => (JSON.parse(line) as { loss: number }).loss),
  };
}

describe.skipIf(refusal)(`a run on a device${refusal ? ` (${refusal})` : ''}`, () => {
  test('resumes after its trainer was killed, to the same weights there, and from the same state on the processor', {
    timeout: 240_000,
  }, async () => {
    const unbroken = await writeRun(`end-to-end-webgpu-${process.pid}`);
    const broken = await writeRun(`end-to-end-webgpu-broken-${process.pid}`);
    const onProcessor = join(corpus.directory, 'on-the-processor');

    const alone = runCommand(['up', unbroken.path]);
    const up = await goOn(broken);
    await killTrainer(broken.output);
    expect(await up.finished).toMatchObject({ code: 1, stderr: expect.stringContaining('SIGKILL') });
    await cp(broken.output, onProcessor, { recursive: true });
    const checkpoint = await newestCheckpoint(join(onProcessor, 'checkpoints'), silent);

    const [resumed, whole] = [await runCommand(['up', broken.path]), await alone];
    expect([resumed.code, whole.code, resumed.stderr, whole.stderr]).toEqual([0, 0, '', '']);
    const right = await resultOf(unbroken.output);
    const again = await resultOf(broken.output);
    expect(right.losses).toHaveLength(steps);
    expect(again.losses).toEqual(right.losses);
    expect(again.weights.equals(right.weights)).toBe(true);

    // The checkpoint of the device as the processor's engine has it, and the rest of the run there.
    const snapshot = await readSnapshot(checkpoint!);
    const options = optionsFor({ lengths: [32], candidates: 4 });
    const engine = await TrainingEngine.start(join(corpus.directory, 'target'), options);
    await engine.restore(snapshot);
    expect(await engine.snapshot()).toEqual(snapshot);
    await engine.close();
    const settings = [
      `trainer.output=${onProcessor}`,
      'trainer.execution=cpu',
      'teachers.0.execution=webgpu',
    ];
    const moved = await runCommand(['up', broken.path, ...settings.flatMap((setting) => ['--set', setting])]);
    expect(moved).toMatchObject({ code: 0, stderr: '' });
    const { losses } = await resultOf(onProcessor);
    expect(losses).toHaveLength(steps);
    for (const [i, loss] of losses.entries()) expect(loss, `step ${i + 1}`).toBeCloseTo(right.losses[i], 3);
  });
});
