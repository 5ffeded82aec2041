import type { Command } from 'commander';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { heldOutLosses } from '../evaluation/held-out-losses.ts';
import { lossTable } from '../evaluation/loss-table.ts';
import { type RunFileOptions, readRunFile, withRunFile } from '../run-file.ts';

interface CompareOptions extends RunFileOptions {
  readonly json?: true;
}

export function addCompare(program: Command): void {
  withRunFile(program.command('compare'))
    .option('--json', 'print one JSON object instead of the table')
    .summary('held-out loss of every model of a run, side by side')
    .description(
      'Prints the held-out loss of every teacher, of the target and of the fused model, in bits per byte by ' +
        'domain, which can be compared whatever their tokenizers are. A teacher with a fixed port is asked by gRPC, one with port 0 is read from its directory.',
    )
    .addHelpText('after', '\nExample:\n  $ fusemesh compare run.yaml --json')
    .action((path: string, options: CompareOptions) =>
      runUntilStopped(async (signal) => {
        const config = await readRunFile(path, options);
        const domains = await heldOutLosses(config, signal);
        process.stdout.write(`${options.json ? JSON.stringify({ domains }) : lossTable(domains)}\n`);
      }),
    );
}
