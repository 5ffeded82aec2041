/**
 * Fused training against continued training: held-out losses with intervals, ablations, sample efficiency.
 *
 * --quick              one seed of the main table, in five minutes
 * --seeds N            so many seeds, 0 to N - 1 (5)
 * --only PATTERN       the experiments whose names the regular expression fits
 * --learning-rate R    in place of the demo's
 * --real               SmolLM2-135M teaches, in place of the demo's teachers; npm run smollm2 comes before
 * --write              writes docs/results.md with its pictures, and what --real has measured
 * --fresh              measures again what was measured before
 *
 * Results are kept, so a run that was stopped goes on. All of one seed takes about ten minutes on two cores.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runUntilStopped } from '../process/lifecycle/run-until-stopped.ts';
import { combinations } from './fusion/combination/combinations.ts';
import { keptDirectory } from './fusion/directories.ts';
import { experiments } from './fusion/experiments.ts';
import { lossTable } from './fusion/loss-table.ts';
import { measure } from './fusion/measure/measure.ts';
import { refuseOverlap } from './fusion/measure/refuse-overlap.ts';
import { loadDemo } from './fusion/measure/settings.ts';
import { parseOptions } from './fusion/options.ts';
import { readRealFindings } from './fusion/real/real-findings.ts';
import { openRealStudy } from './fusion/real/real-study.ts';
import { circumstancesOf } from './fusion/report/circumstances.ts';
import { resultsPage } from './fusion/report/results-page.ts';
import { readWritten, writePage } from './fusion/report/write-page.ts';
import type { Study } from './fusion/study.ts';

await runUntilStopped(async (signal) => {
  const parameters = process.argv.slice(2);
  const options = parseOptions(parameters);
  const whole = await (options.real ? openRealStudy() : openDemoStudy());
  const study = { ...whole, experiments: options.choose(whole.experiments) };
  const compared = await refuseOverlap(study.config);
  console.log(`No held-out text stands in what is trained on; compared with ${compared}.`);
  if (options.fresh) await rm(study.resultsPath, { force: true });
  const results = await measure(study, options.seeds, signal);
  console.log(lossTable(results));
  if (!options.write) return;
  const real = await readRealFindings(options.seeds, signal);
  if (!real) console.log('Nothing is written on a real LLM: npm run prove -- fusion --real measures it.');
  const circumstances = await circumstancesOf(parameters);
  const remarks = await readWritten('fusion', 'remarks.md');
  const onPolicy = await readWritten('on-policy', 'results.md');
  await writePage(
    resultsPage({
      experiments: study.experiments,
      results,
      combinations: await combinations(study.config, signal),
      circumstances,
      compared,
      real,
      onPolicy,
      remarks,
    }),
  );
});

/** The example models on the demo's corpus. */
async function openDemoStudy(): Promise<Study> {
  return { config: await loadDemo(), experiments, resultsPath: join(keptDirectory, 'results.jsonl') };
}
