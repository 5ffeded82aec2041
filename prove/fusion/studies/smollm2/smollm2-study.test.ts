import { expect, test } from 'vitest';
import { textsOf } from '../../../../process/config/corpus-of-run.ts';
import { loadDemo, settingsOf } from '../../measure/settings.ts';
import { kinds } from './profiles.ts';
import { loadSmolLm2Run, smolLm2Experiments } from './smollm2-study.ts';

const config = await loadSmolLm2Run();

test('every experiment can be set up, with the batches and the schedule of the demo', async () => {
  const demo = await loadDemo();
  for (const experiment of smolLm2Experiments) {
    const settings = settingsOf(experiment, config, config.target.model);
    const { batchDocuments, learningRate, warmupRatio } = settings.config.trainer;
    expect(settings.sources).toEqual(experiment.sources);
    expect(demo.trainer).toMatchObject({ batchDocuments, learningRate, warmupRatio });
    expect(demo.contextLength).toBe(settings.config.contextLength);
  }
});

test('its texts are those that are divided', () => {
  for (const entries of [textsOf(config), config.heldOut]) {
    expect(entries.map(({ domain }) => domain)).toEqual(kinds);
  }
});
