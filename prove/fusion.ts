/** Fused training against continued training: held-out losses with intervals, ablations, sample efficiency. */
import { rm } from 'node:fs/promises';
import { runUntilStopped } from '../mesh/lifecycle/run-until-stopped.ts';
import { experiments } from './fusion/experiments.ts';
import { lossTable } from './fusion/loss-table.ts';
import { measure, resultsPath } from './fusion/measure/measure.ts';
import { refuseOverlap } from './fusion/measure/refuse-overlap.ts';
import { loadDemo } from './fusion/measure/settings.ts';
import { parseOptions } from './fusion/options.ts';

await runUntilStopped(async (signal) => {
  const options = parseOptions(process.argv.slice(2));
  const compared = await refuseOverlap(await loadDemo());
  console.log(`No held-out text stands in what is trained on; compared with ${compared}.`);
  if (options.fresh) await rm(resultsPath, { force: true });
  const chosen = options.choose(experiments);
  console.log(lossTable(await measure(chosen, options.seeds, signal)));
});
