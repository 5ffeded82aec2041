import { expect, test } from 'vitest';
import { textsOf } from '../../../process/config/corpus-of-run.ts';
import { loadDemo, settingsOf } from '../measure/settings.ts';
import { kinds } from './profiles.ts';
import { readRealStudy } from './real-study.ts';

const { config, experiments } = await readRealStudy();

test('every experiment can be set up, with the batches and the schedule of the demo', async () => {
  const demo = await loadDemo();
  for (const experiment of experiments) {
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
