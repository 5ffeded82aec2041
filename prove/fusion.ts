/**
 * Fused training against continued training: held-out losses with intervals, ablations, sample efficiency.
 *
 * --quick              one seed of the main table, in five minutes
 * --seeds N            so many seeds, 0 to N - 1 (5)
 * --only PATTERN       the experiments whose names the regular expression fits
 * --learning-rate R    in place of the demo's
 * --study NAME         demo; smollm2: SmolLM2-135M teaches (npm run smollm2 comes before); target-4m, target-16m: a larger
 *                      target; lora: adapters are trained
 * --write              writes the page with its pictures: docs/results.md, of another study docs/results/NAME.md
 * --fresh              measures again what was measured before
 *
 * Results are kept, so a run that was stopped goes on. All of one seed takes about ten minutes on two cores.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runUntilStopped } from '../process/lifecycle/run-until-stopped.ts';
import { combinations } from './fusion/combination/combinations.ts';
import { lossTable } from './fusion/loss-table.ts';
import { measure, resultsPath } from './fusion/measure/measure.ts';
import { refuseOverlap } from './fusion/measure/refuse-overlap.ts';
import { parseOptions } from './fusion/options.ts';
import { circumstancesOf } from './fusion/report/circumstances.ts';
import { resultsPage } from './fusion/report/results-page.ts';
import { studyPage } from './fusion/report/study-page.ts';
import { writePage } from './fusion/report/write-page.ts';
import { openStudy } from './fusion/studies/studies.ts';

await runUntilStopped(async (signal) => {
  const parameters = process.argv.slice(2);
  const options = parseOptions(parameters);
  const whole = await openStudy(options.study);
  const study = { ...whole, experiments: options.choose(whole.experiments) };
  const compared = await refuseOverlap(study.config);
  console.log(`No held-out text stands in what is trained on; compared with ${compared}.`);
  if (options.fresh) await rm(resultsPath(study), { force: true });
  const results = await measure(study, options.seeds, signal);
  console.log(lossTable(results));
  if (!options.write) return;
  const findings = { results, compared, circumstances: await circumstancesOf(parameters) };
  if (study.page) return writePage(studyPage(study, study.page, findings));
  const remarks = await readFile(join(import.meta.dirname, 'fusion', 'remarks.md'), 'utf8');
  await writePage(
    resultsPage({
      ...findings,
      experiments: study.experiments,
      combinations: await combinations(study.config, signal),
      remarks,
    }),
  );
});
