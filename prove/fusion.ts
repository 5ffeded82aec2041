/** Fused training against continued training: held-out losses with intervals, ablations, sample efficiency. */
import { rm } from 'node:fs/promises';
import { runUntilStopped } from '../mesh/lifecycle/run-until-stopped.ts';
import { experiments } from './fusion/experiments.ts';
import { lossTable } from './fusion/loss-table.ts';
import { measure, resultsPath } from './fusion/measure/measure.ts';
import { refuseOverlap } from './fusion/measure/refuse-overlap.ts';
import { loadDemo } from './fusion/measure/settings.ts';
import { parseOptions } from './fusion/options.ts';
import { circumstancesOf } from './fusion/report/circumstances.ts';
import { resultsPage } from './fusion/report/results-page.ts';
import { readRemarks, writePage } from './fusion/report/write-page.ts';

await runUntilStopped(async (signal) => {
  const parameters = process.argv.slice(2);
  const options = parseOptions(parameters);
  const compared = await refuseOverlap(await loadDemo());
  console.log(`No held-out text stands in what is trained on; compared with ${compared}.`);
  if (options.fresh) await rm(resultsPath, { force: true });
  const chosen = options.choose(experiments);
  const results = await measure(chosen, options.seeds, signal);
  console.log(lossTable(results));
  if (!options.write) return;
  const circumstances = await circumstancesOf(parameters);
  const remarks = await readRemarks();
  await writePage(resultsPage({ experiments: chosen, results, circumstances, compared, remarks }));
});
