import type { Command } from 'commander';
import { recordingOf } from '../../process/config/corpus-of-run.ts';
import type { RunConfig } from '../../process/config/schema.ts';
import { interruptedExitCode, runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { lossTable } from '../evaluation/loss-table.ts';
import { needsOwnNats } from '../nats/nats-of-command.ts';
import { type RunFileOptions, readRunFile, withRunFile } from '../run-file.ts';
import { type RunResult, readStoredResult, removeOutput } from '../stored/run-result.ts';
import { refuseBeforeStart } from '../up/refuse-before-start.ts';
import { runUp } from '../up/run-up.ts';
import { runDisplay } from '../view/display.ts';

interface UpCommandOptions extends RunFileOptions {
  readonly json?: true;
  readonly fresh?: true;
}

export function addUp(program: Command): void {
  withRunFile(program.command('up'))
    .option('--json', 'print the result as one JSON object on stdout, progress on stderr')
    .option('--fresh', 'begin again: forget the checkpoints, the result and the streams of this run')
    .summary('run a whole mesh on this machine')
    .description(
      'Runs NATS, the teachers, the feeder and the trainer of a run as processes of their own, shows how they ' +
        'do, and at the end the held-out loss of every model in bits per byte. Ctrl-C stops them all; the same ' +
        'command resumes from the newest checkpoint. A finished run prints its result again.\n\n' +
        'A run that trains from a recording has a trainer alone. Port 0 in the file means any free port. NATS is started here unless NATS_URL or nats.url is given.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh up examples/demo.yaml\n  $ fusemesh up examples/demo.yaml --fresh --set trainer.steps=20 --json',
    )
    .action((path: string, options: UpCommandOptions) =>
      runUntilStopped((signal) => up(path, options, signal)),
    );
}

async function up(path: string, options: UpCommandOptions, signal: AbortSignal): Promise<void> {
  const { set: overrides = [], json = false, fresh = false } = options;
  const config = await readRunFile(path, options);
  const stored = fresh ? undefined : await readStoredResult(config);
  if (stored)
    return printResult(stored, { path, config, json, how: 'finished before; --fresh begins again' });

  // What was recorded comes from disk.
  const ownNats = !recordingOf(config) && (await needsOwnNats(path, overrides, process.env));
  await refuseBeforeStart(config, ownNats);
  if (fresh) await removeOutput(config);
  const display = runDisplay(json ? process.stderr : process.stdout);
  try {
    const result = await runUp(path, config, { overrides, ownNats, fresh, display, signal });
    display.end();
    if (result) return printResult(result, { path, config, json, how: 'finished' });
    display.note('Stopped. The same command resumes from the newest checkpoint.');
    process.exitCode = interruptedExitCode;
  } finally {
    display.end();
  }
}

function printResult(
  result: RunResult,
  { path, config, json, how }: { path: string; config: RunConfig; json: boolean; how: string },
): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const { domains, tokens, seconds, model } = result;
  const table = domains.length > 0 ? `\n${lossTable(domains)}\n` : '';
  process.stdout.write(
    `${table}\nRun ${config.run} ${how}: ${tokens.toLocaleString('en-US')} tokens in ${seconds} s.\n` +
      `The fused model is in ${model}\n` +
      `Its curves and settings as one file: fusemesh report ${path}\n`,
  );
}
