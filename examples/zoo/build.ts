import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { reportHeldOut } from './held-out-report.ts';
import { modelDirectory, untrainedDirectory } from './layout.ts';
import { pretrain } from './pretraining.ts';
import { buildTexts } from './texts.ts';
import { buildUntrainedModel } from './untrained-model.ts';
import { chooseModels } from './zoo.ts';

// Rebuilds what in this directory is not written by hand, from the published texts up: about 10 minutes on
// two cores. Names of models as arguments build those alone.
await runUntilStopped(async (signal) => {
  const models = chooseModels(process.argv.slice(2));
  await buildTexts();
  for (const model of models) {
    const untrained = untrainedDirectory(model.name);
    await buildUntrainedModel(model, untrained);
    await pretrain(model, { untrained, trained: modelDirectory(model.name) }, signal);
  }
  await reportHeldOut();
});
